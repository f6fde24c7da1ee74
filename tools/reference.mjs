// Writes the API reference, docs/api/*.md, from the docstrings of everything that the package exports, and finds what has
// none. Without it the reference would be typed by hand, and wrong within a week.
//
//   npm run docs                writes docs/api
//   node tools/reference.mjs --check   writes nothing: fails where a page is stale or something lacks its words

import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Application, Converter, ReflectionKind } from 'typedoc'
import { readAnchors } from './anchors.mjs'
import { projectFolder } from './install.mjs'
import { findGaps } from './reference-gaps.mjs'

// Each page is named by its entry. The broker's comes first: what several entries export is described there.
const pages = [
  { entry: 'broker/index.ts', name: 'broker', title: 'fastify-perspective/broker' },
  { entry: 'client/index.ts', name: 'client', title: 'fastify-perspective/client' },
  { entry: 'plugin/index.ts', name: 'plugin', title: 'fastify-perspective' },
  { entry: 'plugin/django/index.ts', name: 'django', title: 'fastify-perspective/django' },
]
const folder = join(projectFolder, 'docs/api')

const project = await readProject()
const written = await renderPages(project)
if (process.argv.includes('--check')) {
  const problems = [...findGaps(project), ...findStale(written)]
  for (const problem of problems) console.error(problem)
  console.log(`${written.size} pages of reference`)
  process.exitCode = problems.length === 0 ? 0 : 1
} else {
  for (const [file, text] of written) writeFileSync(join(folder, file), text)
  for (const file of readdirSync(folder)) if (!written.has(file)) rmSync(join(folder, file))
  console.log(`docs/api: ${[...written.keys()].join(', ')}`)
}

async function readProject() {
  const app = await Application.bootstrapWithPlugins({
    name: 'fastify-perspective',
    plugin: ['typedoc-plugin-markdown'],
    tsconfig: join(projectFolder, 'tools/reference.tsconfig.json'),
    entryPoints: pages.map(({ entry }) => join(projectFolder, entry)),
    readme: 'none',
    router: 'module',
    disableSources: true,
    disableGit: true,
    excludeExternals: true,
    excludePrivate: true,
    excludeInternal: true,
    hideGenerator: true,
    hidePageHeader: true,
    hideBreadcrumbs: true,
    useCodeBlocks: true,
    // The compiler has checked the sources; here they are read.
    skipErrorChecking: true,
    logLevel: 'Error',
    ...Object.fromEntries(
      ['parameters', 'interfaceProperties', 'classProperties', 'typeDeclaration'].map((part) => [
        `${part}Format`,
        'table',
      ]),
    ),
  })
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    nameModules(project)
    removeMarks(project)
  })
  const converted = await app.convert()
  if (converted === undefined) throw new Error('TypeDoc: expected a project, got none')
  return Object.assign(converted, { app })
}

function nameModules(project) {
  for (const [index, { name }] of pages.entries()) project.children[index].name = name
}

/** The marks that only the compiler sees (`[kByReference]` and the like) are no members that anybody could use. */
function removeMarks(project) {
  const marks = project
    .getReflectionsByKind(ReflectionKind.Property)
    .filter(({ name }) => /^\[k[A-Z]/.test(name))
  for (const mark of marks) project.removeReflection(mark)
}

/** @returns {Promise<Map<string, string>>} The text of each page by its file's name. */
async function renderPages(project) {
  const temporary = mkdtempSync(join(tmpdir(), 'reference-'))
  try {
    await project.app.outputs.writeOutput({ name: 'markdown', path: temporary }, project)
    const texts = new Map(
      pages.map(({ name, title }) => {
        const text = readFileSync(join(temporary, `${name}.md`), 'utf8')
        return [`${name}.md`, text.replace(/^# .*/, `# \`${title}\``).trimEnd() + '\n']
      }),
    )
    return new Map([['README.md', writeIndex()], ...mendAnchors(texts)])
  } finally {
    rmSync(temporary, { recursive: true })
  }
}

/** TypeDoc numbers a heading by the names that it has used, GitHub by the headings of the page. */
function mendAnchors(texts) {
  const anchorsOf = new Map([...texts].map(([file, text]) => [file, readAnchors(text)]))
  return [...texts].map(([file, text]) => [
    file,
    text.replace(/\]\(([\w.]*)#([^)]+?)-(\d+)\)/g, (link, page, name, number) => {
      const anchors = anchorsOf.get(page === '' ? file : page)
      return anchors.has(`${name}-${number}`) ? link : `](${page}#${name})`
    }),
  ])
}

function writeIndex() {
  return [
    '# API reference',
    '',
    'Written from the docstrings by `npm run docs`; mend it there. What several entries export is described once, in `broker`.',
    '',
    ...pages.map(({ name, title }) => `- [\`${title}\`](${name}.md)`),
    '',
  ].join('\n')
}

function findStale(written) {
  const there = readdirSync(folder).filter((file) => !written.has(file))
  const stale = [...written].filter(([file, text]) => readPage(file) !== text)
  return [
    ...there.map((file) => `docs/api/${file}: of no entry any more; run: npm run docs`),
    ...stale.map(
      ([file]) => `docs/api/${file}: not what the docstrings say now; run: npm run docs`,
    ),
  ]
}

function readPage(file) {
  try {
    return readFileSync(join(folder, file), 'utf8')
  } catch {
    return undefined
  }
}
