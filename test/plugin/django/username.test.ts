import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { normalizeUsername } from 'fastify-perspective/django'

// What `''.join(c for c in map(chr, range(0x110000)) if not c.strip())` gives in Python.
const PYTHON_SPACE = [
  ...[0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x85, 0xa0, 0x1680],
  ...[0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a],
  ...[0x2028, 0x2029, 0x202f, 0x205f, 0x3000],
]

describe('normalizeUsername', () => {
  test('strips what Python strips and nothing else, of all code points', () => {
    const stripped = []
    for (let point = 0; point < 0x110000; point++) {
      const text = String.fromCodePoint(point)
      if (normalizeUsername(text) === '') stripped.push(point)
      else if (text.normalize('NFKC') !== normalizeUsername(text)) assert.fail(point.toString(16))
    }
    assert.deepEqual(stripped, PYTHON_SPACE)
  })

  test('strips both ends and keeps the middle', () => {
    assert.equal(normalizeUsername('\t ada\u3000lovelace \n'), 'ada lovelace')
  })

  test('keeps case, zero-width characters and a byte order mark', () => {
    assert.equal(normalizeUsername('ADA'), 'ADA')
    assert.equal(normalizeUsername('\u200bada'), '\u200bada')
    assert.equal(normalizeUsername('\ufeffada'), '\ufeffada')
    assert.equal(normalizeUsername('\u00adada'), '\u00adada')
  })

  test('folds to NFKC after stripping', () => {
    assert.equal(normalizeUsername('ａlice'), 'alice')
    assert.equal(normalizeUsername('e\u0301va'), '\u00e9va')
    assert.equal(normalizeUsername(' \u210cilbert '), 'Hilbert')
  })

  test('leaves a name of more than 150 code points unfolded', () => {
    const longest = 'ａ'.repeat(150)
    assert.equal(normalizeUsername(` ${longest} `), 'a'.repeat(150))
    assert.equal(normalizeUsername(` ${longest}ａ `), `${longest}ａ`)
  })

  test('counts code points, not UTF-16 units', () => {
    assert.equal(normalizeUsername('𝐚'.repeat(150)), 'a'.repeat(150))
  })
})
