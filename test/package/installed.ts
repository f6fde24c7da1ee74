/** The package as npm would deliver it: packed, and installed into an empty project with what the README names. */
import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from '../docs/documents.js'

const run = promisify(execFile)

export interface Tarball {
  readonly file: string
  /** Bytes as it is downloaded. */
  readonly size: number
  readonly unpackedSize: number
  /** Paths in it, without `package/`. */
  readonly paths: readonly string[]
}

export interface Project {
  readonly folder: string
  readonly tarball: Tarball
  remove(): Promise<void>
}

/** Packs what is built, and installs it; `versions` are instead of ours. */
export async function installPackage(versions: Record<string, string> = {}): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), 'perspective-package-'))
  const tarball = await pack(folder)
  const { devDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    devDependencies: Record<string, string>
  }
  // What the README asks for, and a compiler; `ws` is Node 20's WebSocket. Our versions: npm has them in its cache.
  const names = ['fastify', 'zod', 'typescript', '@types/node', 'ws']
  const packages = names.map(
    (name) => `${name}@${versions[name] ?? devDependencies[name] ?? 'latest'}`,
  )
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n')
  await npm(folder, 'install', '--prefer-offline', tarball.file, ...packages)
  await copyFile(join(root, 'test/docs/run-page.mjs'), join(folder, 'run-page.mjs'))
  return {
    folder,
    tarball,
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }),
  }
}

async function pack(destination: string): Promise<Tarball> {
  // Without scripts: the build is there, and another test may be reading it.
  const output = await npm(
    root,
    'pack',
    '--json',
    '--ignore-scripts',
    '--pack-destination',
    destination,
  )
  type Packed = { filename: string; size: number; unpackedSize: number; files: { path: string }[] }
  const parsed = JSON.parse(output) as Packed[] | Record<string, Packed>
  const [packed] = Object.values(parsed)
  if (packed === undefined) throw new Error(`npm pack: expected a tarball, got ${output}`)
  return {
    file: join(destination, packed.filename),
    size: packed.size,
    unpackedSize: packed.unpackedSize,
    paths: packed.files.map(({ path }) => path),
  }
}

async function npm(cwd: string, ...args: string[]): Promise<string> {
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
  const options = { cwd, maxBuffer: 64 * 1024 * 1024, shell: process.platform === 'win32' }
  return (await run('npm', [...args, ...quiet], options)).stdout
}
