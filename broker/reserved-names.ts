const RESERVED: ReadonlySet<string> = new Set([
  'then',
  'catch',
  'finally',
  'constructor',
  'toString',
  'toLocaleString',
  'valueOf',
  'toJSON',
  'hasOwnProperty',
  'isPrototypeOf',
  'propertyIsEnumerable',
  'prototype',
  'inspect',
  'nodeType',
  'tagName',
  'hasAttribute',
  'asymmetricMatch',
])

/** Tells whether a handle answers this name by itself; the run-time twin of the type `ReservedName`. */
export function isReservedName(name: string): boolean {
  const first = name.charCodeAt(0)
  // `_` (Vue's and lodash's marks), `$` (Mongo, Vue) and `@` (Immutable's `@@__IMMUTABLE…`).
  return first === 95 || first === 36 || first === 64 || RESERVED.has(name)
}
