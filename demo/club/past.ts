/** What happened in the club before today, so that a newcomer finds something to move and something to export. */
import type { Colour } from '../contract.js'
import type { Board } from './board.js'
import type { Journal } from './journal.js'

const NOTES: readonly [text: string, colour: Colour, by: string, x: number, y: number][] = [
  ['Summer outing: the observatory, or the old mill?', 'lemon', 'ada', 30, 50],
  ['Who brings the projector on Friday?', 'sky', 'grace', 480, 10],
  ['New members: say hello at the door', 'mint', 'linus', 930, 80],
  ['Fees are due on the first', 'peach', 'ada', 80, 480],
  ['Talk: thirty centimetres of wire', 'lilac', 'grace', 480, 590],
  ['Keys to the attic: ask linus', 'lemon', 'linus', 970, 560],
  ['Library: bring back the blue book', 'mint', 'grace', 20, 940],
]
const LINES = 12_000
const MINUTE = 60_000

export function fillBoard(board: Board): void {
  for (const [text, colour, by, x, y] of NOTES) board.add(colour, by, { text, x, y })
}

/** A line for every half hour of the months before. */
export function fillJournal(journal: Journal): void {
  const people = ['ada', 'grace', 'linus']
  const deeds = ['added', 'moved', 'wrote on', 'painted', 'removed']
  const begin = Date.now() - LINES * 30 * MINUTE
  for (let line = 0; line < LINES; line++) {
    const who = people[line % people.length] ?? ''
    const what = deeds[(line * 7) % deeds.length] ?? ''
    journal.write(who, `${what} note${1 + (line % 40)}`, new Date(begin + line * 30 * MINUTE))
  }
}
