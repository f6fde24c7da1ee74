/** Who can log in to the demo, and what for. The passwords are those of the fixture that its database is made of. */
import { ACCOUNTS } from '../tools/postgres/accounts.js'

const NOTES = new Map([
  ['ada', 'administrator: switches members off, clears the board'],
  ['grace', 'moderator: may clear the board'],
  ['linus', 'member: may not clear the board'],
  ['mallory', 'switched off: cannot come in until ada allows it'],
])

export interface DemoAccount {
  readonly username: string
  readonly password: string
  readonly note: string
}

export const DEMO_ACCOUNTS: readonly DemoAccount[] = ACCOUNTS.flatMap(({ username, password }) => {
  const note = NOTES.get(username)
  return note === undefined || password === null ? [] : [{ username, password, note }]
})
