/** Compiles a document of the manual as a reader would: strict, `nodenext`, against the built package. */
import { join } from 'node:path'
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

/** @returns What the compiler says of the document's blocks: its server's files and its page's are two programs. */
export function compile({ folder, blocks }: Document): string[] {
  return (['server', 'page'] as const).flatMap((side) => {
    const files = blocks
      .filter((block) => isTypeScript(block) && isPage(block) === (side === 'page'))
      .map(({ name }) => join(folder, name))
    if (files.length === 0) return []
    const program = ts.createProgram(files, optionsOf[side], hosts[side])
    return ts.getPreEmitDiagnostics(program).map(describe)
  })
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
