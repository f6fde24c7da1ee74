/** Checks of the manual's blocks that are no TypeScript, as far as this machine can. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import ts from 'typescript'
import type { Block } from './documents.js'

type Check = (block: Block, databaseUrl: string) => unknown

// Shell commands install, clone and deploy: they are read by people, and not run here. Text is text.
const checks: Record<string, Check> = {
  '': () => undefined,
  sh: () => undefined,
  text: () => undefined,
  json: ({ code }) => JSON.parse(code) as unknown,
  html: checkScripts,
  python: checkPython,
  sql: checkSql,
  nginx: checkNginx,
}

/** @throws Error - the block is wrong, or of a language that nobody checks. */
export async function checkOtherLanguage(block: Block, databaseUrl: string): Promise<void> {
  const check = checks[block.language]
  if (check === undefined) {
    const known = ['ts', 'tsx', ...Object.keys(checks).filter((name) => name !== '')].join(', ')
    throw new Error(`${block.at}: expected a block of ${known}, got ${block.language}`)
  }
  await check(block, databaseUrl)
}

function checkScripts({ at, code }: Block): void {
  for (const [, script = ''] of code.matchAll(/<script type="module">([\s\S]*?)<\/script>/g)) {
    const { diagnostics = [] } = ts.transpileModule(script, { reportDiagnostics: true })
    const [first] = diagnostics
    if (first !== undefined) {
      throw new Error(`${at}: ${ts.flattenDiagnosticMessageText(first.messageText, '\n')}`)
    }
  }
}

async function checkPython({ code }: Block): Promise<void> {
  const program = 'import sys; compile(sys.argv[1], "block", "exec")'
  await ifThere(promisify(execFile)('python3', ['-c', program, code]))
}

/** Runs it on Django's tables and takes it back. */
async function checkSql({ code }: Block, databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    await client.query('BEGIN')
    await client.query(code)
  } finally {
    await client.query('ROLLBACK')
    await client.end()
  }
}

/** Asks nginx, where there is one; counts its brackets and semicolons anyway. */
async function checkNginx({ at, code }: Block): Promise<void> {
  const bare = code.replace(/#.*$/gm, '')
  const count = (sign: string): number => bare.split(sign).length
  if (count('{') !== count('}')) throw new Error(`${at}: a bracket without its other`)
  const unended = bare.split('\n').find((line) => /\S/.test(line) && !/[;{}]\s*$/.test(line))
  if (unended !== undefined) throw new Error(`${at}: expected ";" at the end of: ${unended.trim()}`)
  const folder = await mkdtemp(join(tmpdir(), 'nginx-'))
  const file = join(folder, 'nginx.conf')
  await writeFile(file, `pid ${folder}/pid;\nevents {}\nhttp {\n${code}\n}\n`)
  await ifThere(promisify(execFile)('nginx', ['-t', '-c', file, '-p', folder]))
  await rm(folder, { recursive: true })
}

async function ifThere(running: Promise<unknown>): Promise<void> {
  await running.catch((error: unknown) => {
    if ((error as { code?: unknown }).code !== 'ENOENT') throw error
  })
}
