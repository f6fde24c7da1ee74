import { isReferenceable } from './exposure.js'

/**
 * Tells whether JSON says all of a value, in one walk that allocates nothing. Most values are plain: they are then
 * written by `JSON.stringify` as they are, and the receiver is told that it need not look for tags.
 *
 * @param maxNodes - What is more cannot fit a frame and is not walked to its end: lists that hold one another twice
 *   double with each level, and a peer can have them made.
 */
export function isPlain(value: unknown, depth: number, maxNodes: number): boolean {
  nodesLeft = maxNodes
  return isPlainValue(value, depth)
}

let nodesLeft = 0

function isPlainValue(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
    case 'object':
      return value === null || isPlainObject(value, depth)
    default:
      return false
  }
}

function isPlainObject(value: object, depth: number): boolean {
  // Too deep is for the encoder to say, with the path.
  if (depth === 0) return false
  if (Array.isArray(value)) {
    const list = value as unknown[]
    const first = list[0]
    if (typeof first === 'string' && first.charCodeAt(0) === DOLLAR) return false
    nodesLeft -= list.length
    if (nodesLeft < 0) return false
    // By index: a hole is `undefined`, which JSON would write as null.
    for (let index = 0; index < list.length; index++) {
      if (!isPlainValue(list[index], depth - 1)) return false
    }
    return true
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return false
  let isEmpty = true
  for (const key in value) {
    isEmpty = false
    if (--nodesLeft < 0) return false
    if (!isPlainValue((value as Record<string, unknown>)[key], depth - 1)) return false
  }
  // A token: a reference without methods.
  return !isEmpty || (Object.getOwnPropertySymbols(value).length === 0 && !isReferenceable(value))
}

const DOLLAR = 36

/** Tells whether a property would change what its object is: a promise, or another value in JSON. */
export function isMisleading(key: string, value: unknown): boolean {
  return typeof value === 'function' && (key === 'then' || key === 'toJSON')
}

/** Sets a property of data, whatever its name: an assignment to `__proto__` would set the prototype. */
export function setOwn(object: object, key: string, value: unknown, enumerable = true): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable, configurable: true })
}

/** Tells objects and functions from everything else. */
export function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

/** Tells objects that JSON has from its lists and all else. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  )
}

/** Tells what can be an id, an index or a length. */
export function isNatural(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

/** Tells whether a value parsed from JSON nests no deeper than allowed. */
export function isShallow(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (depth === 0) return false
  if (Array.isArray(value)) {
    for (const item of value as unknown[]) if (!isShallow(item, depth - 1)) return false
    return true
  }
  for (const key in value) {
    if (!isShallow((value as Record<string, unknown>)[key], depth - 1)) return false
  }
  return true
}

/**
 * What a value costs of a stream's credit, in bytes: about the length of its JSON. Both ends count alike, so that neither
 * has to believe the other; PROTOCOL.md has the rule.
 */
export function measure(json: unknown): number {
  if (typeof json === 'string') return json.length + 2
  if (typeof json !== 'object' || json === null) return 8
  let size = 2
  if (Array.isArray(json)) for (const item of json as unknown[]) size += measure(item)
  else {
    for (const key of Object.keys(json)) {
      size += key.length + 4 + measure((json as Record<string, unknown>)[key])
    }
  }
  return size
}
