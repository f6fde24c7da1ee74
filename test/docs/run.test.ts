// Every code block of the manual does what it says, where it can be run: `server.ts` is started on a real PostgreSQL with
// Django's tables, the quick start's unless the document has its own; `page.ts` and `*-page.ts` are run against it, and
// `*.test.ts` by node's test runner.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Postgres, loadDjango, startPostgres } from '../../tools/postgres/start.js'
import {
  type Document,
  isPage,
  isTypeScript,
  readDocuments,
  removeDocuments,
  scriptOf,
  writeDocuments,
} from './documents.js'
import { checkOtherLanguage } from './other-languages.js'
import { runNode, startServer } from './processes.js'

const runPage = fileURLToPath(new URL('run-page.mjs', import.meta.url))

const documents = await readDocuments('run')
let postgres: Postgres

before(async () => {
  await writeDocuments(documents)
  postgres = await startPostgres()
  await loadDjango(postgres.url)
})

after(async () => {
  await postgres.stop()
  await removeDocuments('run')
})

describe('the code blocks of the manual', () => {
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
  const blocks = runnable(document)
  for (const { at, name } of blocks.filter((block) => block.name.endsWith('.test.ts'))) {
    const { code, output } = await runNode(['--test', scriptOf(document, name)], {
      // Or it would take itself for a part of the run that has started it.
      NODE_TEST_CONTEXT: undefined,
    })
    assert.equal(code, 0, `${at}\n${output}`)
  }
  const pages = blocks.filter((block) => block.name.endsWith('.ts') && isPage(block))
  if (pages.length === 0 && !blocks.some(({ name }) => name === 'server.ts')) return
  const server = await startServer([scriptOf(document, 'server.ts')], postgres.url)
  try {
    for (const { at, name } of pages) {
      const { code, output } = await runNode([runPage, scriptOf(document, name), server.url])
      assert.equal(code, 0, `${at}\n${output}`)
    }
  } finally {
    await server.stop()
  }
}
