/** Compiles a document of the manual as a reader would: strict, `nodenext`, against the built package. */
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { type Document, isPage, isTypeScript, root } from './documents.js'

const shared: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  strict: true,
  noEmit: true,
  skipLibCheck: true,
}
const optionsOf: Record<'server' | 'page', ts.CompilerOptions> = {
  server: { ...shared, types: ['node'] },
  page: {
    ...shared,
    types: [],
    lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    jsx: ts.JsxEmit.ReactJSX,
  },
}
// The libraries are the same for every document: read once, and only the blocks anew.
const hosts = { server: cachingHost(optionsOf.server), page: cachingHost(optionsOf.page) }

/** @returns What the compiler says of the document: each of its folders is an app, of two programs, server and page. */
export function compile({ folder, blocks }: Document): string[] {
  const problems: string[] = []
  const code = blocks.filter(isTypeScript)
  for (const app of new Set(code.map(({ name }) => dirname(name)))) {
    for (const side of ['server', 'page'] as const) {
      const files = code
        .filter((block) => dirname(block.name) === app && isPage(block) === (side === 'page'))
        .map(({ name }) => join(folder, name))
      if (files.length === 0) continue
      const program = ts.createProgram(files, optionsOf[side], hosts[side])
      problems.push(...ts.getPreEmitDiagnostics(program).map(describe))
    }
  }
  return problems
}

function cachingHost(options: ts.CompilerOptions): ts.CompilerHost {
  const host = ts.createCompilerHost(options)
  const files = new Map<string, ts.SourceFile | undefined>()
  const read = host.getSourceFile.bind(host)
  return {
    ...host,
    getCurrentDirectory: () => root,
    getSourceFile(name, ...rest) {
      if (!files.has(name)) files.set(name, read(name, ...rest))
      return files.get(name)
    },
  }
}

function describe({ file, start, messageText }: ts.Diagnostic): string {
  const text = ts.flattenDiagnosticMessageText(messageText, '\n')
  if (file === undefined || start === undefined) return text
  const { line } = file.getLineAndCharacterOfPosition(start)
  return `${file.fileName}:${String(line + 1)}: ${text}`
}
