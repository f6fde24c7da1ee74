// Follows every link of README.md, CHANGELOG.md and docs/: the file is there, and so is the heading. Without it a page that
// is renamed leaves readers at a dead end. Addresses of other sites are looked at, not called.

import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { projectFolder } from './install.mjs'
import { readAnchors, withoutBlocks } from './anchors.mjs'

const pages = [
  'README.md',
  'CHANGELOG.md',
  ...readdirSync(join(projectFolder, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => join('docs', path)),
]
const anchorsOf = new Map(pages.map((page) => [page, readAnchors(read(page))]))

const problems = []
let count = 0
for (const page of pages) {
  for (const { line, target } of readLinks(read(page))) {
    count += 1
    const problem = findProblem(page, target)
    if (problem !== null) problems.push(`${page}:${line}: ${target}: ${problem}`)
  }
}
for (const problem of problems) console.error(problem)
console.log(`${count} links in ${pages.length} pages`)
process.exitCode = problems.length === 0 ? 0 : 1

function read(page) {
  return readFileSync(join(projectFolder, page), 'utf8')
}

/** @returns What is wrong with a link of a page; null where nothing is. */
function findProblem(page, target) {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) {
    return URL.canParse(target) && target.startsWith('https:')
      ? null
      : 'expected an address that begins with https://'
  }
  const [path, anchor] = target.split('#')
  const file =
    path === '' ? page : relative(projectFolder, resolve(projectFolder, dirname(page), path))
  const absolute = join(projectFolder, file)
  if (file.startsWith('..') || !existsSync(absolute)) return 'no such file'
  if (statSync(absolute).isDirectory()) return 'a folder: link to a page in it'
  if (anchor === undefined) return null
  const anchors = anchorsOf.get(file)
  if (anchors === undefined) return 'a heading of a file that is no page'
  return anchors.has(anchor) ? null : `${file} has no such heading`
}

/** Links `[…](target)` and images outside code, with the line they are in. */
function readLinks(text) {
  const links = []
  for (const [index, line] of withoutCode(text).split('\n').entries()) {
    for (const [, target] of line.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)) {
      links.push({ line: index + 1, target })
    }
  }
  return links
}

function withoutCode(text) {
  return withoutBlocks(text).replace(/`[^`\n]*`/g, (code) => (code.includes('](') ? '' : code))
}
