// Every code block of the manual is code: compiled as a reader would, and run where it can be.
//
// A TypeScript block names its file in its first line. `server.ts` is started on a real PostgreSQL with Django's tables,
// the quick start's unless the document has its own; `page.ts` and `*-page.ts` are run against it; `*.test.ts` are run by
// node's test runner; the others are compiled.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Postgres, loadDjango, startPostgres } from '../../tools/postgres/start.js'
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

const require = createRequire(import.meta.url)
const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc')
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

  for (const program of ['server', 'page'] as const) {
    test(`compile, strictly, as a ${program}'s`, async () => {
      const files = documents.flatMap(({ folder, blocks }) =>
        blocks
          .filter((block) => isTypeScript(block) && isPage(block) === (program === 'page'))
          .map(({ name }) => join(folder, name)),
      )
      const { code, output } = await compile(program, files)
      assert.equal(code, 0, output)
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

async function compile(program: 'server' | 'page', files: string[]) {
  const config = join(dirname(documents[0]?.folder ?? ''), `tsconfig.${program}.json`)
  const own =
    program === 'page'
      ? { types: [], lib: ['ES2022', 'DOM', 'DOM.Iterable'], jsx: 'react-jsx' }
      : { types: ['node'] }
  const compilerOptions = {
    ...{ target: 'ES2022', module: 'NodeNext', strict: true, noEmit: true, skipLibCheck: true },
    ...own,
  }
  await writeFile(config, JSON.stringify({ compilerOptions, files }))
  return runNode([tsc, '-p', config])
}
