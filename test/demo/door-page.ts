// The way in, and out: logging in by hand and by keyboard, being refused, and a telephone's width.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Place } from './board-page.js'
import { openVisitor, passwordOf } from './visitor.js'

export function testDoor(place: () => Place): void {
  const open = () => openVisitor(place().browser, place().url)

  test('the keyboard is enough to come in, and to go', async () => {
    const visitor = await open()
    const { keyboard } = visitor.page
    await visitor.page.locator('input[name=username]:focus').waitFor()
    await keyboard.type('grace')
    await keyboard.press('Tab')
    await keyboard.type(passwordOf('grace'))
    await keyboard.press('Enter')
    await visitor.people.getByText('grace').waitFor()
    await visitor.page.getByRole('button', { name: 'Log out' }).focus()
    await keyboard.press('Enter')
    await visitor.page.getByRole('heading', { name: 'Log in' }).waitFor()
    assert.equal(await visitor.page.locator('.why').count(), 0)
    await visitor.close()
  })

  test('a wrong password and an inactive user are told the same', async () => {
    const visitor = await open()
    const words = []
    for (const [username, password] of [
      ['linus', 'not it'],
      ['nobody at all', 'not it'],
      ['mallory', passwordOf('mallory')],
    ] as const) {
      await visitor.login(username, password)
      words.push(await visitor.trouble.innerText())
    }
    assert.deepEqual(new Set(words), new Set([words[0]]))
    assert.match(words[0]!, /user name or the password is wrong/)
    await visitor.close()
  })

  test('too many attempts at an account are told the seconds to wait; other accounts need not', async () => {
    const visitor = await open()
    const isLimited = async () =>
      /Too many attempts as somebody/.test(await visitor.trouble.innerText())
    do await visitor.login('somebody', 'not it')
    while (!(await isLimited()))
    assert.match(await visitor.trouble.innerText(), /Try again in \d+ s\./)
    assert.ok(await visitor.page.getByRole('button', { name: 'Log in', exact: true }).isDisabled())
    await visitor.login('ada')
    await visitor.people.waitFor()
    await visitor.close()
  })

  test('an account is one click away, and the page fits a telephone, in the dark too', async () => {
    const visitor = await openVisitor(place().browser, place().url, {
      viewport: { width: 360, height: 740 },
      colorScheme: 'dark',
      hasTouch: true,
    })
    const { page } = visitor
    const isWide = () => page.evaluate(() => document.documentElement.scrollWidth > innerWidth)
    assert.equal(await isWide(), false)
    await page.getByRole('button', { name: 'ada administrator' }).click()
    await visitor.people.getByText('ada').waitFor()
    assert.equal(await isWide(), false)
    await visitor.press('Add a note')
    await visitor.note('Note by ada').last().tap()
    await page.locator('.note-tools').getByRole('button', { name: 'Edit' }).last().tap()
    await page.locator('.note-editor').fill('a word without end'.replaceAll(' ', '-').repeat(5))
    await page.keyboard.press('Enter')
    await visitor.ask('a question without end'.replaceAll(' ', '-').repeat(5))
    await visitor.incoming.waitFor()
    assert.equal(await isWide(), false)
    await visitor.answer('Yes')
    await visitor.press('Export journal')
    await page.locator('.export').waitFor()
    assert.equal(await isWide(), false)
    await visitor.press('Cancel')

    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    const dark = await ground()
    await page.getByRole('button', { name: 'Colours: system' }).click()
    assert.notEqual(await ground(), dark)
    await page.getByRole('button', { name: 'Colours: light' }).click()
    assert.equal(await ground(), dark)
    await visitor.close()
  })
}
