/**
 * What of an object can be called from the other side: the table on its class (`static readonly remote`) or the one
 * declared for a literal, and nothing else. No prototype is walked and no field or getter is read on a peer's word.
 */
import type { StandardSchemaV1 } from './remote-methods.js'
import { unchecked } from './remote-methods.js'
import { isObject } from './plain-value.js'
import { recordOf } from './remote-record.js'
import { isReservedName } from './reserved-names.js'

/** One callable method. `args` null: unchecked. */
export interface ExposedMethod {
  readonly args: readonly StandardSchemaV1[] | null
  readonly rest: StandardSchemaV1 | null
  readonly requires: readonly string[] | null
}
export type Exposure = ReadonlyMap<string, ExposedMethod>

/** Marks the prototype of `Referenceable`; registered, so that two copies of this package know each other's objects. */
export const kReferenceable: unique symbol = Symbol.for(
  'fastify-perspective.Referenceable',
) as never

/** Marks the prototype of `Viewable`. */
export const kViewable: unique symbol = Symbol.for('fastify-perspective.Viewable') as never

const classes = new WeakMap<object, Exposure>()
const literals = new WeakMap<object, Exposure>()

const NO_ARGUMENTS: readonly StandardSchemaV1[] = Object.freeze([])
const UNCHECKED: ExposedMethod = { args: null, rest: null, requires: null }

/** Tells whether an object crosses by reference. */
export function isReferenceable(value: object): boolean {
  return (value as { [kReferenceable]?: true })[kReferenceable] === true || literals.has(value)
}

/** Tells whether an object's methods get the caller's avatar first. */
export function isViewable(value: object): boolean {
  return (value as { [kViewable]?: true })[kViewable] === true
}

/**
 * Reads what may be called on an object that crosses by reference; worked out once for each class.
 *
 * @throws TypeError - the class has no `remote`, or one that does not fit it.
 */
export function exposureOf(object: object): Exposure {
  const literal = literals.get(object)
  if (literal !== undefined) return literal
  const prototype = Object.getPrototypeOf(object) as object
  let exposure = classes.get(prototype)
  if (exposure === undefined) {
    const { name, remote } = prototype.constructor as unknown as { name: string; remote?: unknown }
    if (typeof remote !== 'object' || remote === null) {
      throw new TypeError(
        `class ${name} crosses by reference and needs a table of what may be called: ` +
          `"static readonly remote: RemoteMethods<…> = { … }"; got ${typeof remote}`,
      )
    }
    exposure = readRules(`class ${name}`, remote as Record<string, unknown>, prototype)
    classes.set(prototype, exposure)
  }
  return exposure
}

/** Declares a literal for {@link exposureOf}: by its rules, or all of its own functions, unchecked. */
export function declareLiteral(object: object, rules?: object): void {
  if (rules === undefined && literals.has(object)) return
  const table = new Map<string, ExposedMethod>()
  if (rules === undefined) {
    for (const [name, value] of Object.entries(object)) {
      if (typeof value === 'function' && !isReservedName(name)) table.set(name, UNCHECKED)
    }
    if (table.size === 0 && typeof object === 'object' && recordOf(object) === null)
      refuseInstance(object)
  }
  literals.set(
    object,
    rules === undefined ? table : readRules('object', rules as Record<string, unknown>, object),
  )
}

/** An instance's methods are its class's: offering nothing of them, without a word, is what nobody meant. */
function refuseInstance(object: object): void {
  const prototype = Object.getPrototypeOf(object) as { constructor?: { name?: string } } | null
  if (prototype === null || prototype === Object.prototype) return
  throw new TypeError(
    `expected a literal with functions, or a class that extends Referenceable and lists its methods in "static remote"; ` +
      `got an instance of ${prototype.constructor?.name ?? 'some class'}, which has no function of its own`,
  )
}

function readRules(owner: string, rules: Record<string, unknown>, methods: object): Exposure {
  const table = new Map<string, ExposedMethod>()
  for (const [name, rule] of Object.entries(rules)) {
    if (isReservedName(name)) {
      throw new TypeError(
        `${owner}: remote.${name} is a reserved name that every handle answers itself`,
      )
    }
    if (typeof (methods as Record<string, unknown>)[name] !== 'function') {
      throw new TypeError(`${owner}: remote.${name} is listed, and there is no such method`)
    }
    table.set(name, readRule(`${owner}: remote.${name}`, rule))
  }
  return table
}

function readRule(where: string, rule: unknown): ExposedMethod {
  if (rule === true) return { args: NO_ARGUMENTS, rest: null, requires: null }
  if (rule === unchecked) return UNCHECKED
  if (Array.isArray(rule)) return { args: readSchemas(where, rule), rest: null, requires: null }
  if (isSchema(rule)) {
    throw new TypeError(
      `${where}: expected one schema for each parameter in an array, got a bare schema`,
    )
  }
  if (typeof rule !== 'object' || rule === null) {
    throw new TypeError(
      `${where}: expected true, an array of schemas, unchecked or an object, got ${typeof rule}`,
    )
  }
  const { args, rest, requires, ...unknown } = rule as Record<string, unknown>
  const [extra] = Object.keys(unknown)
  if (extra !== undefined) {
    throw new TypeError(`${where}.${extra}: expected only args, rest and requires`)
  }
  if (rest !== undefined && !isSchema(rest)) {
    throw new TypeError(`${where}.rest: expected a Standard Schema, got ${typeof rest}`)
  }
  return {
    args: args === unchecked ? null : readSchemas(`${where}.args`, args ?? NO_ARGUMENTS),
    rest: rest ?? null,
    requires: readRequires(where, requires),
  }
}

function readSchemas(where: string, schemas: unknown): readonly StandardSchemaV1[] {
  if (!Array.isArray(schemas)) {
    throw new TypeError(
      `${where}: expected an array of schemas or unchecked, got ${typeof schemas}`,
    )
  }
  schemas.forEach((schema, index) => {
    if (!isSchema(schema)) {
      throw new TypeError(
        `${where}[${String(index)}]: expected a Standard Schema, got ${typeof schema}`,
      )
    }
  })
  return schemas as readonly StandardSchemaV1[]
}

function readRequires(where: string, requires: unknown): readonly string[] | null {
  if (requires === undefined) return null
  const list: unknown[] = Array.isArray(requires) ? requires : [requires]
  if (list.length === 0 || !list.every((entry) => typeof entry === 'string' && entry !== '')) {
    throw new TypeError(
      `${where}.requires: expected a permission's name or several, got ${typeof requires}`,
    )
  }
  return list as readonly string[]
}

function isSchema(value: unknown): value is StandardSchemaV1 {
  // arktype's schemas are functions.
  return (
    isObject(value) &&
    typeof (value as Partial<StandardSchemaV1>)['~standard']?.validate === 'function'
  )
}
