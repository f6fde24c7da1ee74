import assert from 'node:assert/strict'
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

  test('finds none where none of the usual paths exists', () => {
    assert.equal(findChromium({}, 'win32'), undefined)
    assert.equal(findChromium({ PROGRAMFILES: 'nowhere' }, 'win32'), undefined)
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
