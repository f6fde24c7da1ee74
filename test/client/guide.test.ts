// The code of docs/reconnecting.md is taken out of the page and compiled as a user would.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = join(root, 'test/client/.guide')
const chat = `
import type { Referenceable } from 'fastify-perspective/broker'
export interface Board extends Referenceable { rename(title: string): void }
export interface Chat { board(id: number): Board }
`

after(() => rm(folder, { recursive: true, force: true }))

test('the guide about reconnecting compiles, React and all', async () => {
  const guide = await readFile(join(root, 'docs/reconnecting.md'), 'utf8')
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'chat.ts'), chat)
  const blocks = [...guide.matchAll(/```tsx?\n\/\/ ([\w-]+\.tsx?)\n([\s\S]*?)```/g)]
  assert.equal(blocks.length, guide.match(/```\w/g)?.length)
  for (const [, name = '', code = ''] of blocks) await writeFile(join(folder, name), code)
  const compilerOptions = {
    target: 'ES2022',
    module: 'NodeNext',
    jsx: 'react-jsx',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    lib: ['ES2022', 'DOM', 'ESNext.Disposable'],
  }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
  const require = createRequire(import.meta.url)
  const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc')
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' })
  assert.equal(status, 0, stdout)
})
