// Every TypeScript block of the manual is compiled as its reader would. It names its file in its first line.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { compile } from './compile.js'
import { isTypeScript, readDocuments, removeDocuments, writeDocuments } from './documents.js'

const documents = await readDocuments('compile')

before(() => writeDocuments(documents))
after(() => removeDocuments('compile'))

describe('the TypeScript of the manual', () => {
  test('names the file of each block', () => {
    const unnamed = documents.flatMap(({ blocks }) =>
      blocks.filter((block) => isTypeScript(block) && block.name === ''),
    )
    assert.deepEqual(
      unnamed.map(({ at }) => at),
      [],
    )
  })

  for (const document of documents) {
    if (!document.blocks.some(isTypeScript)) continue
    test(`compiles, strictly: ${document.path}`, () => {
      assert.deepEqual(compile(document), [])
    })
  }
})
