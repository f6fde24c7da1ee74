// The board with three users at once: ada the administrator, grace the moderator, linus the plain member.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { openVisitor, type Visitor } from './visitor.js'

export interface Place {
  readonly browser: Browser
  readonly url: string
}

export function testBoard(place: () => Place): void {
  let ada: Visitor, grace: Visitor, linus: Visitor
  const everybody = () => [ada, grace, linus]

  before(async () => {
    const enter = async (username: string): Promise<Visitor> => {
      const visitor = await openVisitor(place().browser, place().url)
      await visitor.login(username)
      return visitor
    }
    ada = await enter('ada')
    grace = await enter('grace')
    linus = await enter('linus')
  })
  after(async () => {
    for (const visitor of everybody()) await visitor.close()
  })

  test('everybody sees who is here', async () => {
    for (const { people } of everybody()) {
      for (const name of ['ada', 'grace', 'linus']) await people.getByText(name).waitFor()
    }
    await linus.people.getByText('linus (you)').waitFor()
  })

  test('a note that one drags moves on the pages of the others, whose pointers are seen', async () => {
    const before = await ada.placeOf('projector')
    await linus.drag('projector', 60, 80)
    const moved = await linus.placeOf('projector')
    assert.notDeepEqual(moved, before)
    for (const other of [ada, grace]) {
      await other.pointers.getByText('linus').waitFor()
      await until(async () => (await other.placeOf('projector')).join() === moved.join())
    }
    assert.equal(await linus.pointers.getByText('linus').count(), 0)
    await ada.pointers.getByText('linus').waitFor({ state: 'detached' })
  })

  test('the keyboard adds, writes, moves, colours and removes a note', async () => {
    const { keyboard } = linus.page
    await linus.press('Add a note')
    await linus.note('Note by linus: empty').focus()
    await keyboard.press('Enter')
    await keyboard.type('by <b>hand</b>')
    await keyboard.press('Enter')
    await grace.note('by <b>hand</b>').waitFor()

    const [x, y] = await grace.placeOf('by <b>hand</b>')
    await keyboard.press('ArrowRight')
    await keyboard.press('ArrowDown')
    await keyboard.press('ArrowDown')
    await until(async () => {
      const [nowX, nowY] = await grace.placeOf('by <b>hand</b>')
      return nowX === x + 20 && nowY === y + 40
    })

    await keyboard.press('4')
    await grace.page.locator('.note[data-colour=sky]', { hasText: 'by <b>hand</b>' }).waitFor()
    await keyboard.press('Enter')
    await keyboard.type('given up')
    await keyboard.press('Escape')
    await keyboard.press('Tab')
    assert.equal(await linus.page.locator('.swatch:focus').getAttribute('aria-label'), 'lemon')
    await linus.note('by <b>hand</b>').focus()
    await keyboard.press('Delete')
    await grace.note('by <b>hand</b>').waitFor({ state: 'detached' })
    await linus.page.locator('.surface:focus').waitFor()
  })

  test('a question goes to everybody, and the answers come as they are given', async () => {
    await linus.ask('Is it time?')
    for (const { incoming } of everybody()) await incoming.getByText('Is it time?').waitFor()
    await linus.tally.getByText('0 yes · 0 no · 3 to come').waitFor()
    await grace.answer('Yes')
    await linus.tally.getByText('1 yes · 0 no · 2 to come').waitFor()
    await ada.answer('No')
    await linus.tally.getByText('1 yes · 1 no · 1 to come').waitFor()
    await linus.answer('Yes')
    await linus.tally.getByText(/^2 yes · 1 no$/).waitFor()
    await linus.page.locator('.incoming-place:focus').waitFor({ state: 'attached' })
  })

  test('a question that is taken back is asked no more', async () => {
    await linus.ask('Never mind?')
    await grace.incoming.getByText('Never mind?').waitFor()
    await linus.press('Take back')
    for (const { incoming } of everybody()) await incoming.waitFor({ state: 'detached' })
    await linus.tally.getByText(/^0 yes · 0 no$/).waitFor()
  })

  test('a page that goes away leaves the club, and the question that it was asked', async () => {
    const second = await openVisitor(place().browser, place().url)
    await second.login('grace')
    await linus.people.getByText('grace × 2').waitFor()
    await linus.ask('Still there?')
    await second.incoming.waitFor()
    await second.close()
    await linus.page.locator('.ballot', { hasText: 'has left' }).waitFor()
    await linus.people.getByText('grace × 2').waitFor({ state: 'detached' })
    await linus.press('Take back')
  })

  test('the journal comes as a stream that can be paused and cancelled', async () => {
    const words = linus.page.locator('.export-words')
    await linus.press('Export journal')
    await words.getByText(/^[2-9] %/).waitFor()
    await linus.press('Pause')
    await words.getByText('the server waits').waitFor()
    const paused = await words.innerText()
    await linus.wire.getByText('credit').last().waitFor()
    assert.equal(await words.innerText(), paused)
    await linus.press('Go on')
    await words.getByText(/^[2-9]\d %$/).waitFor()
    await linus.press('Cancel')
    await words.getByText('cancelled').waitFor()
    await linus.press('Close')

    await linus.press('Export journal')
    const saved = linus.page.waitForEvent('download')
    await linus.page.getByRole('link', { name: 'Save' }).click()
    assert.equal((await saved).suggestedFilename(), 'journal.csv')
    await linus.press('Close')
  })

  test('the board is cleared by whom Django allows it, and by nobody else', async () => {
    const count = await grace.notes.count()
    await linus.page.getByRole('button', { name: 'Clear' }).click()
    await linus.notice.getByText('Sorry, linus: that needs a permission').waitFor()
    const desk = linus.page.viewportSize()
    await linus.page.setViewportSize({ width: 390, height: 600 })
    const box = await linus.notice.boundingBox()
    assert.ok(
      box && box.y + box.height <= 600,
      'on a phone what was refused is said below the page',
    )
    if (desk) await linus.page.setViewportSize(desk)
    assert.equal(await grace.notes.count(), count)
    await grace.press('Clear')
    for (const { notice, notes } of everybody()) {
      await notice.getByText('grace cleared the board.').waitFor()
      assert.equal(await notes.count(), 0)
    }
  })

  test('the wire says what goes over it, and the plot how long calls took', async () => {
    await linus.press('Empty')
    await linus.press('Add a note')
    for (const words of ['page → server call add(“', 'server → page answer to add: done']) {
      await until(async () => (await textOf(linus)).includes(words))
    }
    await linus.page.getByRole('button', { name: 'Clear' }).click()
    await until(async () => (await textOf(linus)).includes('server → page refuse clear: '))
    const plot = linus.page.locator('.latency')
    assert.match(await plot.innerText(), /median \d+\.\d ms of \d+ calls/)
    assert.ok((await plot.locator('rect').count()) > 3)
    assert.match(await linus.page.locator('.wire').innerText(), /\d+ frames out, \d+ in/)
  })

  test('an administrator switches a member off, whose page loses its session and says why', async () => {
    assert.equal(await linus.page.getByRole('button', { name: 'Members' }).count(), 0)
    await ada.press('Members')
    const members = ada.page.getByRole('dialog', { name: 'Who may log in' })
    assert.ok(await members.getByRole('switch', { name: 'ada' }).isDisabled())
    await members.getByRole('switch', { name: 'linus' }).click()
    await linus.page.getByText('An administrator has deactivated your account.').waitFor()
    await linus.login('linus')
    assert.match(await linus.trouble.innerText(), /or the account is not active/)
    await grace.people.getByText('linus').waitFor({ state: 'detached' })

    await members.getByRole('switch', { name: 'linus', checked: false }).click()
    await members.getByRole('switch', { name: 'linus', checked: true }).waitFor()
    await ada.press('Done')
    await linus.login('linus')
    await grace.people.getByText('linus').waitFor()
  })

  test('the network pulled, and put back: the page comes back by itself', async () => {
    const network = linus.page.getByRole('switch', { name: 'Network' })
    const link = linus.page.locator('.link')
    await network.click()
    await link.getByText('connection lost').waitFor()
    await grace.people.getByText('linus').waitFor({ state: 'detached' })
    await network.click()
    await link.getByText('connected', { exact: true }).waitFor()
    await grace.people.getByText('linus').waitFor()
    await linus.press('Add a note')
    await grace.note('Note by linus').last().waitFor()
  })
}

/** The wire's lines, each direction and its words in one. */
async function textOf({ wire }: Visitor): Promise<string> {
  return (await wire.innerText()).replaceAll('\n', ' ')
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 30))
}
