/* global document, FormData */
// The same board as the page of demo/page/, without a bundler, a framework or types.
import { login, UnauthorizedLoginError } from '/perspective/client.js'

const $ = (id) => document.getElementById(id)
const say = (text) => ($('status').textContent = text)

// What the server may call in this page.
const mind = {
  pointed() {},
  cleared: (by) => say(`${by} cleared the board.`),
  // The server awaits the answer; when the signal aborts it does so no more.
  ask: ({ from, text }, signal) =>
    new Promise((resolve) => {
      $('question-text').textContent = `${from} asks: ${text}`
      $('question').returnValue = ''
      $('question').showModal()
      $('question').onclose = () => {
        const answer = $('question').returnValue
        resolve(answer === '' ? null : answer === 'yes')
      }
      signal.addEventListener('abort', () => $('question').close())
    }),
}

$('login').addEventListener('submit', async (event) => {
  event.preventDefault()
  const credentials = Object.fromEntries(new FormData(event.target))
  try {
    await enter(await login('/perspective', credentials, { mind }))
  } catch (error) {
    const isRefused = error instanceof UnauthorizedLoginError
    say(isRefused ? 'The user name or the password is wrong.' : error.message)
  }
})

async function enter(session) {
  const { perspective, user } = session
  const { board, presence } = await perspective.enter()
  $('login').hidden = true
  $('club').hidden = false
  say(`You are ${user.username}.`)

  // Mirrors: the state now, and then every change of it.
  const showPeople = () =>
    ($('people').textContent = presence.state.map(({ username }) => username).join(', '))
  const showNotes = () => $('notes').replaceChildren(...Object.values(board.state).map(noteItem))
  presence.subscribe(showPeople)
  board.subscribe(showNotes)
  showPeople()
  showNotes()

  $('add').onclick = () => perspective.add('mint').catch(({ message }) => say(message))
  $('logout').onclick = () => session.logout()
  const { code, reason } = await session.ended
  $('club').hidden = true
  $('login').hidden = false
  say(code === 1000 ? 'You are logged out.' : `The session has ended: ${reason || code}`)
}

/** `card.note` is the note itself: an object on the server, held by reference. */
function noteItem({ note, text, by, x, y }) {
  const remove = document.createElement('button')
  remove.textContent = 'Delete'
  remove.onclick = () => note.remove()
  const right = document.createElement('button')
  right.textContent = 'Move right'
  right.onclick = () => note.move(Math.min(1000, x + 50), y)
  const item = document.createElement('li')
  item.append(`${by}: ${text || '(empty)'} at ${x}, ${y} `, right, ' ', remove)
  return item
}
