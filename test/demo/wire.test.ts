// The wire panel's words, for each kind of message that docs/PROTOCOL.md has.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FrameReader } from '../../demo/page/src/wire/frames.js'
import { describe, show } from '../../demo/page/src/wire/words.js'

const readFrame = (frame: unknown) => new FrameReader().read(frame)

const wordsOf = (frame: string) =>
  readFrame(frame).map((message) => {
    const { verb, what } = describe(message, { method: 'enter', ms: null })
    return `${verb} ${what}`.trim()
  })

test('every kind of message is said in words', () => {
  const frames: [frame: string, ...words: string[]][] = [
    ['[[0,1]]', 'hello'],
    ['[[0,1,{"user":{"id":"5","username":"ada"},"secret":"x"}]]', 'hello ada'],
    [
      '[[1,1,0,"enter",[]],[1,2,7,"move",[12.34,500]],1]',
      'call enter()',
      'call move(12.3, 500) on object 7',
    ],
    ['[[2,0,"point",[1,2]]]', 'tell point(1, 2)'],
    [
      '[[3,1],[19,2,{"board":["$c",3,{}]},0]]',
      'answer to enter: done',
      'answer to enter: { board: mirror 3 }',
    ],
    ['[[4,1,"PB_ERR_CALL_DENIED","enter: no"]]', 'refuse enter: no'],
    ['[[4,1,"FULL","no"]]', 'error of enter: FULL'],
    ['[[5,4,1,6,2]]', 'release objects 4, 6'],
    ['[[6,1],[7,2],[8,3]]', 'cancel a call', 'abort signal 2', 'forget signal 3'],
    ['[[9,1,{"done":100}],[10,1]]', 'chunk of stream 1: { done: 100 }', 'end of stream 1'],
    [
      '[[11,1,"FULL","no"],[12,1,65536],[13,1]]',
      'fail stream 1: FULL',
      'credit stream 1 may go on: 64 kB',
      'stop stream 1',
    ],
    ['[[14,3,[1,[["n1",[1,[["x",[0,5]]],[]]]],["n2"]]]]', 'update mirror 3: n1.x = 5, n2 gone'],
    ['[[15,{"secret":"x"}]]', 'notice'],
  ]
  for (const [frame, ...words] of frames) assert.deepEqual(wordsOf(frame), words)
})

test('a binary frame is read by its JSON', () => {
  const json = new TextEncoder().encode('[[19,1,["$b",1,2],2]]')
  const frame = new Uint8Array([json.length, 0, 0, 0, ...json, 7, 7])
  assert.deepEqual(readFrame(frame), readFrame(frame.buffer))
  assert.equal(describe(readFrame(frame)[0]!, null).what, 'to a call: bytes')
})

test('announced bytes are no messages, and what comes after them is', () => {
  const reader = new FrameReader()
  for (const mark of [2, 3]) {
    const frame = `[[19,1,["$b",1,20000],20000],${String(mark)}]`
    assert.equal(reader.read(frame).length, 1)
    assert.deepEqual(reader.read(new Uint8Array(20_000)), [])
  }
  assert.equal(reader.read('[[3,1],1]').length, 1)
})

test('values are said with their tags, and cut short', () => {
  assert.equal(show('a'.repeat(40)), `“${'a'.repeat(26)}…”`)
  assert.equal(show(['$d', 0]), '1970-01-01T00:00:00.000Z')
  assert.equal(show([['$r', 1], 2]), '2 items')
  assert.equal(show(['$y', 4]), 'your object 4')
  assert.equal(
    show({ a: 1, b: null, c: true, d: ['$u'], e: 5 }),
    '{ a: 1, b: null, c: true, d: undefined, … }',
  )
})
