// Every code block of the manual is code: compiled as a reader would, and run where it can be.
//
// A TypeScript block names its file in its first line. `server.ts` is started on a real PostgreSQL with Django's tables,
// the quick start's unless the document has its own; `page.ts` and `*-page.ts` are run against it; `*.test.ts` are run by
// node's test runner; the others are compiled.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Postgres, loadDjango, startPostgres } from '../../tools/postgres/start.js'
import { compile } from './compile.js'
import {
  type Document,
  isPage,
  isTypeScript,
  readDocuments,
  removeDocuments,
  writeDocuments,
} from './documents.js'
import { checkOtherLanguage } from './other-languages.js'
import { runNode, startServer } from './processes.js'

const runPage = fileURLToPath(new URL('run-page.mjs', import.meta.url))

const documents = await readDocuments('examples')
let postgres: Postgres

before(async () => {
  await writeDocuments(documents)
  postgres = await startPostgres()
  await loadDjango(postgres.url)
})

after(async () => {
  await postgres.stop()
  await removeDocuments('examples')
})

describe('the code blocks of the manual', () => {
  test('TypeScript blocks name their file', () => {
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
    test(`compile, strictly: ${document.path}`, () => {
      assert.deepEqual(compile(document), [])
    })
  }

  test('in other languages are well formed', async () => {
    for (const block of documents.flatMap(({ blocks }) => blocks)) {
      if (!isTypeScript(block)) await checkOtherLanguage(block, postgres.url)
    }
  })

  for (const document of documents) {
    if (runnable(document).length === 0) continue
    test(`run: ${document.path}`, () => runDocument(document))
  }
})

function runnable({ blocks }: Document) {
  return blocks.filter((block) => isPage(block) || /^server\.ts$|\.test\.ts$/.test(block.name))
}

async function runDocument(document: Document): Promise<void> {
  const { folder } = document
  const blocks = runnable(document)
  for (const { at, name } of blocks.filter(({ name }) => name.endsWith('.test.ts'))) {
    const { code, output } = await runNode(['--import', 'tsx', '--test', join(folder, name)], {
      // Or it would take itself for a part of the run that has started it.
      NODE_TEST_CONTEXT: undefined,
    })
    assert.equal(code, 0, `${at}\n${output}`)
  }
  const pages = blocks.filter((block) => block.name.endsWith('.ts') && isPage(block))
  if (pages.length === 0 && !blocks.some(({ name }) => name === 'server.ts')) return
  const server = await startServer(['--import', 'tsx', join(folder, 'server.ts')], postgres.url)
  try {
    for (const { at, name } of pages) {
      const page = ['--import', 'tsx', runPage, join(folder, name), server.url]
      const { code, output } = await runNode(page)
      assert.equal(code, 0, `${at}\n${output}`)
    }
  } finally {
    await server.stop()
  }
}
