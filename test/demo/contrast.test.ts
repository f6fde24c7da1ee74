// The demo's colours can be read: WCAG 2.2, level AA, 1.4.3 for text and 1.4.11 for the edges of controls.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'

const css = await readFile(
  new URL('../../demo/page/src/styles/tokens.css', import.meta.url),
  'utf8',
)
const found = [
  ...css.matchAll(/--([\w-]+): (?:light-dark\()?(#[0-9a-f]{6})(?:, (#[0-9a-f]{6}))?/g),
].map(([, name = '', light = '', dark = light]) => ({ name, light, dark }))
const schemes = {
  light: Object.fromEntries(found.map(({ name, light }) => [name, light])),
  dark: Object.fromEntries(found.map(({ name, dark }) => [name, dark])),
}

// Each text colour, and what it stands on somewhere.
const texts: [string, ...string[]][] = [
  ['ink', 'paper', 'surface', 'sunken', 'indigo-wash', 'coral-wash'],
  ['quiet', 'paper', 'surface', 'sunken'],
  ['on-indigo', 'indigo', 'indigo-hover', 'field', 'field-deep', 'yes-strong', 'no-strong'],
  ['indigo-ink', 'indigo-wash'],
  ['coral-ink', 'coral-wash'],
  ['yes-ink', 'yes'],
  ['no-ink', 'no'],
  ['wire-out', 'surface'],
  ['wire-in', 'surface'],
  ['note-ink', 'lemon', 'peach', 'mint', 'sky', 'lilac'],
  ['note-quiet', 'lemon', 'peach', 'mint', 'sky', 'lilac'],
]
const edges: [string, ...string[]][] = [
  ['edge', 'paper', 'surface'],
  ['indigo-ink', 'paper', 'surface'],
  ['yes-strong', 'surface'],
  ['no-strong', 'surface'],
  ['quiet', 'sunken'],
]

for (const [scheme, colours] of Object.entries(schemes)) {
  for (const [pairs, minimum] of [
    [texts, 4.5],
    [edges, 3],
  ] as const) {
    for (const [front, ...backs] of pairs) {
      test(`${scheme}: ${front} on ${backs.join(', ')}, at least ${minimum}:1`, () => {
        for (const back of backs) {
          const ratio = contrast(colours[front]!, colours[back]!)
          assert.ok(ratio >= minimum, `${front} on ${back}: ${ratio.toFixed(2)}:1`)
        }
      })
    }
  }
}

test('white initials on every tint, at least 4.5:1', () => {
  const tints = [...css.matchAll(/--tint: (#[0-9a-f]{6})/g)].map((match) => match[1]!)
  assert.equal(tints.length, 8)
  for (const tint of tints) assert.ok(contrast('#ffffff', tint) >= 4.5, tint)
})

/** https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
function contrast(one: string, other: string): number {
  const [bright, dim] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number]
  return (bright + 0.05) / (dim + 0.05)
}

function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
