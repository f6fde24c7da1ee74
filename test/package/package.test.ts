// The package, as somebody gets it who installs it: nothing that they do not need, no type errors of ours in their compiler,
// and the README's quick start runs.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { loadDjango, startPostgres } from '../../tools/postgres/start.js'
import { runNode, startServer } from '../docs/processes.js'
import { compileQuickStart } from './compile-quick-start.js'
import { type Project, installPackage } from './installed.js'

const WANTED = [
  /^(package\.json|README\.md|CHANGELOG\.md|LICENSE)$/,
  /^dist\/(broker|client|command|plugin)\/[\w/-]+\.(js|d\.ts)$/,
  /^dist\/(client\.min|hashed-password)\.js$/,
  /^command\/django-options\.py$/,
  /^docs\/(guides\/|api\/)?[\w-]+\.md$/,
  /^docs\/conformance\.json$/,
  /^docs\/(database-role|revocation-trigger)\.sql$/,
]
const MAX_BYTES = 400_000
const MAX_UNPACKED_BYTES = 1_500_000

let project: Project

before(async () => {
  project = await installPackage()
})

after(() => project.remove())

describe('the package', () => {
  test('has nothing in it that its users do not need', () => {
    const { paths, size, unpackedSize } = project.tarball
    assert.deepEqual(
      paths.filter((path) => !WANTED.some((pattern) => pattern.test(path))),
      [],
    )
    assert.ok(!paths.includes('docs/decisions.md'))
    assert.ok(size < MAX_BYTES, `expected less than ${MAX_BYTES} bytes, got ${size}`)
    assert.ok(unpackedSize < MAX_UNPACKED_BYTES, `unpacked: ${unpackedSize} bytes`)
  })

  test('links in its pages lead to pages that are in it', async () => {
    const { paths } = project.tarball
    const installed = join(project.folder, 'node_modules/fastify-perspective')
    const broken: string[] = []
    for (const page of paths.filter((path) => path.endsWith('.md'))) {
      const text = await readFile(join(installed, page), 'utf8')
      // Pictures are on the project's own page only.
      for (const [, target = ''] of text.matchAll(/(?<!!\[[^\]]*)\]\(([^)#\s:]+)(?:#[^)]*)?\)/g)) {
        const path = posix.join(posix.dirname(page), target)
        if (!paths.includes(path)) broken.push(`${page}: ${target}`)
      }
    }
    assert.deepEqual(broken, [])
  })

  test('compiles without skipLibCheck: nodenext', () => compileQuickStart(project, 'nodenext'))

  test('runs the quick start: the server, and a login by the code of its page', async (t) => {
    const postgres = await startPostgres()
    t.after(() => postgres.stop())
    await loadDjango(postgres.url)
    const built = join(project.folder, 'built')
    const server = await startServer([join(built, 'server.js')], postgres.url, project.folder)
    t.after(() => server.stop())
    const page = [join(project.folder, 'run-page.mjs'), join(built, 'page.js'), server.url]
    const { code, output } = await runNode(page, {}, project.folder)
    assert.equal(code, 0, output)
    assert.equal(output, 'Hello, ada\nada: hello\n')
  })
})
