import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { findChromium, launchChromium, needsChromium } from './chromium.js'

describe('findChromium', () => {
  test('takes CHROMIUM_PATH before anything else', () => {
    assert.equal(findChromium({ CHROMIUM_PATH: process.execPath }), process.execPath)
  })

  test('refuses a CHROMIUM_PATH that cannot be executed, and says what it got', () => {
    assert.throws(() => findChromium({ CHROMIUM_PATH: 'nowhere/chromium' }), {
      message: 'CHROMIUM_PATH: expected the path of an executable Chromium, got nowhere/chromium',
    })
  })

  test('looks along the PATH', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'chromium-test-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const env = { PATH: `nowhere:${folder}` }
    assert.equal(findChromium(env, 'linux'), undefined)
    writeFileSync(join(folder, 'google-chrome'), '', { mode: 0o755 })
    assert.equal(findChromium(env, 'linux'), join(folder, 'google-chrome'))
    writeFileSync(join(folder, 'chromium'), '', { mode: 0o755 })
    assert.equal(findChromium(env, 'linux'), join(folder, 'chromium'))
  })

  test('finds none where none of the usual paths exists, and a suite is skipped with the cure', () => {
    assert.equal(findChromium({}, 'win32'), undefined)
    assert.equal(findChromium({ PROGRAMFILES: 'nowhere' }, 'win32'), undefined)
    assert.equal(findChromium({ PATH: 'nowhere' }, 'linux'), undefined)
    const { skip } = needsChromium({ PATH: 'nowhere' }, 'linux')
    assert.match(String(skip), /install Chromium .* or set CHROMIUM_PATH/)
    assert.deepEqual(needsChromium({ CHROMIUM_PATH: process.execPath }), { skip: false })
  })
})

describe('launchChromium', needsChromium(), () => {
  test('starts a browser that runs a page', async () => {
    const browser = await launchChromium()
    try {
      const page = await browser.newPage()
      await page.setContent('<title>ready</title>')
      assert.equal(await page.title(), 'ready')
      assert.equal(await page.evaluate(() => typeof WebSocket), 'function')
    } finally {
      await browser.close()
    }
  })
})
