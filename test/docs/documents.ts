/**
 * The manual's code, taken out of README.md and docs/: each document's blocks in a folder of their own, beside the quick
 * start's files, as a reader would have them.
 */
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

/** The folder of the project, with a slash at its end. */
export const root: string = fileURLToPath(new URL('../../', import.meta.url))
// Inside the project: the package resolves by its own name, and zod and Fastify from node_modules.
const examples = join(root, 'test/docs/.examples')
// Each test file has folders of its own: another one may run beside it.
const examplesOf = (test: string): string => join(examples, test)

export interface Block {
  /** Where it begins: `docs/guides/streams.md:12`. */
  readonly at: string
  readonly language: string
  /** The file that its first comment line names; empty where it names none. */
  readonly name: string
  readonly code: string
}

export interface Document {
  /** Relative to the project: `docs/guides/streams.md`. */
  readonly path: string
  readonly blocks: readonly Block[]
  /** Where {@link writeDocuments} has put its named blocks. */
  readonly folder: string
}

/** Reads README.md and every page of docs/ but the generated reference, for a test of that name. */
export async function readDocuments(test: string): Promise<Document[]> {
  const pages = await readdir(join(root, 'docs'), { recursive: true })
  const paths = pages
    .map((path) => `docs/${path.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.md') && !path.startsWith('docs/api/'))
  return Promise.all(
    ['README.md', ...paths.sort()].map(async (path) => ({
      path,
      blocks: readBlocks(path, await readFile(join(root, path), 'utf8')),
      folder: join(examplesOf(test), path.replace(/\.md$/, '').replaceAll('/', '-')),
    })),
  )
}

function readBlocks(path: string, text: string): Block[] {
  return [...text.matchAll(/^```(\w*)[^\n]*\n([\s\S]*?)^```$/gm)].map(
    ({ 1: language = '', 2: code = '', index }) => ({
      at: `${path}:${String(text.slice(0, index).split('\n').length)}`,
      language,
      name:
        /^(?:\/\/|#|<!--) ([\w./-]+\.\w+)(?: -->)?$/m.exec(code.split('\n', 1)[0] ?? '')?.[1] ?? '',
      code,
    }),
  )
}

/**
 * Writes every document's TypeScript into its folder; the quick start's files come with it, unless the document has one
 * of the same name.
 */
export async function writeDocuments(documents: readonly Document[]): Promise<void> {
  const quickStart = documents.find(({ path }) => path === 'README.md')?.blocks ?? []
  for (const { folder, blocks } of documents) {
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true })
    for (const { name, code } of [...quickStart, ...blocks].filter(isTypeScript)) {
      const file = join(folder, name)
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, code)
      await writeFile(file.replace(/\.tsx?$/, '.js'), transpile(code))
    }
  }
}

/** Beside each file, for node: a loader would be started anew for each of them, and cost more than they do. */
function transpile(code: string): string {
  const { ESNext } = ts.ModuleKind
  const { ES2022 } = ts.ScriptTarget
  const compilerOptions = { module: ESNext, target: ES2022, jsx: ts.JsxEmit.ReactJSX }
  return ts.transpileModule(code, { compilerOptions }).outputText
}

/** The JavaScript of a block of a document. */
export function scriptOf({ folder }: Document, name: string): string {
  return join(folder, name.replace(/\.ts$/, '.js'))
}

export function removeDocuments(test: string): Promise<void> {
  return rm(examplesOf(test), { recursive: true, force: true })
}

export function isTypeScript({ language }: Block): boolean {
  return language === 'ts' || language === 'tsx'
}

/** What a page runs: it has the DOM's types, and no Node's. */
export function isPage({ name }: Block): boolean {
  return /(^|-)page\.tsx?$/.test(name)
}
