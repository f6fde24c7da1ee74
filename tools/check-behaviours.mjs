// Holds the tests to the behaviours that the project has set itself: those of Twisted's Perspective Broker (T1 to T79, and O1
// to O19, the better outcomes), of the other reference RPC systems (P1 to P85), of Django's login (case 1 to 80) and of the
// door (door case 1 to 78, with gaps). Each is named in the title of a test, or in docs/decisions.md, which says why not.
// Without it a behaviour would get lost and nobody would notice.

import { readFileSync, readdirSync } from 'node:fs'
import { projectFolder } from './install.mjs'

const upTo = (last) => Array.from({ length: last }, (_, index) => index + 1)
// The others of these are not told to who builds this.
const doorCases = [
  ...[
    1, 3, 5, 6, 8, 11, 12, 13, 14, 16, 18, 19, 22, 24, 25, 26, 27, 28, 30, 32, 35, 37, 38, 39, 41,
    42, 43, 44, 45,
  ],
  ...[48, 50, 51, 53, 54, 55, 57, 58, 60, 62, 63, 64, 65, 67, 68, 70, 71, 73, 75, 76, 78],
]
const families = {
  T: upTo(79),
  O: upTo(19),
  P: upTo(85),
  'case ': upTo(80),
  'door case ': doorCases,
}

const letterPattern = /\b([TOP])(\d{1,2})(?:–[TOP]?(\d{1,2}))?\b/g
const casesPattern = /\b(door )?cases? (\d+(?:(?:, | to | and )\d+)*)/gi
const titlePattern =
  /\b(?:test|describe|it)\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|`([^`]*)`)/g

const named = new Set()
for (const file of readdirSync(`${projectFolder}test`, { recursive: true, encoding: 'utf8' })) {
  if (!file.endsWith('.ts')) continue
  const source = readFileSync(`${projectFolder}test/${file}`, 'utf8')
  for (const [, single, double, template] of source.matchAll(titlePattern)) {
    addNumbers(single ?? double ?? template)
  }
}
const tested = new Set(named)
addNumbers(readFileSync(`${projectFolder}docs/decisions.md`, 'utf8'))

const missing = Object.entries(families).flatMap(([family, numbers]) =>
  numbers.map((number) => `${family}${number}`).filter((name) => !named.has(name)),
)
console.log(`${tested.size} behaviours named by tests, ${named.size - tested.size} by decisions`)
if (missing.length > 0) console.error(`neither tested nor decided against: ${missing.join(', ')}`)
process.exitCode = missing.length === 0 ? 0 : 1

/** `T12`, and `T12–15` or `T12–T15` for several; `case 4`, `door case 4`, `cases 4, 6 to 8 and 9`. */
function addNumbers(text) {
  for (const [, family, first, last] of text.matchAll(letterPattern)) add(family, first, last)
  for (const [, door, list] of text.matchAll(casesPattern)) {
    for (const [, first, last] of list.matchAll(/(\d+)(?: to (\d+))?/g)) {
      add(door === undefined ? 'case ' : 'door case ', first, last)
    }
  }
}

function add(family, first, last = first) {
  for (let number = Number(first); number <= Number(last); number++) named.add(`${family}${number}`)
}
