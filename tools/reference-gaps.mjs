// Finds what the API reference cannot say: exports, members and parameters without a docstring, and error codes that no
// docstring names.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ReflectionKind } from 'typedoc'
import { projectFolder } from './install.mjs'

const { Class, Interface, TypeAlias, Variable, Function: Func } = ReflectionKind
const { Property, Method, Constructor, Accessor } = ReflectionKind

/** Shapes that other standards describe; only what is used of them is written down here. */
const shapesOfOthers = new Set(['WebSocketLike', 'AbortSignalLike', 'StandardSchemaV1'])
/** What everybody knows what it does, in a class that says when. */
const knownNames = new Set(['[dispose]', '[asyncDispose]', '[iterator]', '[asyncIterator]'])

/**
 * @param {import('typedoc').ProjectReflection} project
 * @returns {string[]} One sentence for each gap.
 */
export function findGaps(project) {
  const gaps = []
  for (const module of project.children) {
    for (const child of module.children) {
      const where = `${module.name}: ${child.name}`
      if (!child.kindOf([Class, Interface, TypeAlias, Variable, Func])) continue // exported elsewhere too
      if (!hasWords(child)) gaps.push(`${where}: expected a docstring, got none`)
      if (child.kindOf(Func)) checkParameters(child, where, gaps)
      if (shapesOfOthers.has(child.name)) continue
      for (const member of membersOf(child)) checkMember(member, where, gaps)
    }
  }
  return [...gaps, ...findUnnamedCodes(project)]
}

function membersOf(reflection) {
  const { type } = reflection
  const parts = type?.type === 'union' || type?.type === 'intersection' ? type.types : [type]
  const inline = parts.flatMap((part) => part?.declaration?.children ?? [])
  return [...(reflection.children ?? []), ...inline]
}

function checkMember(member, where, gaps) {
  if (!member.kindOf([Property, Method, Constructor, Accessor])) return
  if (member.inheritedFrom !== undefined || knownNames.has(member.name)) return
  const name = `${where}.${member.name}`
  // What a constructor makes, its class says.
  if (!member.kindOf(Constructor) && !hasWords(member)) {
    gaps.push(`${name}: expected a docstring, got none`)
  }
  checkParameters(member, name, gaps)
}

/** What an error's `message` is, everybody knows. */
const isMessage = ({ name }, owner) => owner.kindOf(Constructor) && name === 'message'

/** A parameter needs a `@param`, or its name in backticks in what is said of the function or of its class. */
function checkParameters(reflection, where, gaps) {
  // Of a callback in a property its type says enough; the property itself has its words.
  const signatures = reflection.signatures ?? []
  const around = [reflection, reflection.parent, ...signatures].map(textOf).join('\n')
  for (const signature of signatures) {
    for (const parameter of signature.parameters ?? []) {
      const isSaid =
        parameter.comment !== undefined ||
        isMessage(parameter, reflection) ||
        (parameter.type?.type === 'reference' &&
          parameter.type.name.startsWith('OptionsArgument')) ||
        around.includes(`\`${parameter.name}\``) ||
        (reflection.kindOf(Constructor) && hasProperty(reflection.parent, parameter.name))
      if (!isSaid) gaps.push(`${where}(${parameter.name}): expected a @param, got none`)
    }
  }
}

/** What a constructor stores under the parameter's own name is described there. */
function hasProperty(owner, name) {
  return (owner.children ?? []).some((child) => child.name === name && hasWords(child))
}

function hasWords(reflection) {
  const parts = [
    reflection,
    ...(reflection.signatures ?? []),
    ...(reflection.type?.declaration?.signatures ?? []),
    ...(reflection.getSignature === undefined ? [] : [reflection.getSignature]),
  ]
  return parts.some((part) => textOf(part).trim() !== '')
}

function textOf(reflection) {
  const comment = reflection?.comment
  if (comment === undefined) return ''
  const content = [comment.summary, ...comment.blockTags.map((tag) => tag.content)]
  return content
    .flat()
    .map((part) => part.text)
    .join('')
}

function findUnnamedCodes(project) {
  const words = Object.values(project.reflections).map(textOf).join('\n')
  const table = readFileSync(join(projectFolder, 'docs/ERRORS.md'), 'utf8')
  const codes = [...table.matchAll(/^\| `(PB_ERR_\w+)`/gm)].map(([, code]) => code)
  return codes
    .filter((code) => !new RegExp(`\\b${code}\\b`).test(words))
    .map((code) => `${code}: expected in the docstring of what throws it, got none`)
}
