import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readDocuments } from '../docs/documents.js'
import { runNode } from '../docs/processes.js'
import type { Project } from './installed.js'

/** Pastes the README's quick start into a project and compiles it there into `built/`, with every declaration checked. */
export async function compileQuickStart(
  { folder }: Project,
  module: 'nodenext' | 'bundler',
): Promise<void> {
  const readme = (await readDocuments('package')).find(({ path }) => path === 'README.md')
  for (const { name, code } of readme?.blocks ?? []) {
    if (name.endsWith('.ts')) await writeFile(join(folder, name), code)
  }
  const programs = {
    server: { files: ['server.ts', 'club.ts'], types: ['node'] },
    page: { files: ['page.ts', 'club-page.ts'], types: [], lib: ['ES2022', 'DOM'] },
  }
  for (const [side, { files, ...own }] of Object.entries(programs)) {
    const compilerOptions = {
      ...{ target: 'ES2022', strict: true, skipLibCheck: false, rootDir: '.', outDir: 'built' },
      ...(module === 'nodenext'
        ? { module: 'NodeNext' }
        : { module: 'ESNext', moduleResolution: 'Bundler' }),
      ...own,
    }
    const config = join(folder, `tsconfig.${side}.json`)
    await writeFile(config, JSON.stringify({ compilerOptions, files }))
    const tsc = join(folder, 'node_modules/typescript/bin/tsc')
    const { code, output } = await runNode([tsc, '-p', config], {}, folder)
    assert.equal(code, 0, `${side}\n${output}`)
  }
}
