import { isMisleading, isNatural, isRecord, setOwn } from './plain-value.js'

/**
 * What became of a state, told by what is not `===` any more. A patch is `[0, value]` for another value, or
 * `[1, [[key, patch], …], [deleted key, …]]` for changes inside an object or a list, whose keys are indices and whose
 * deleted key is the new length.
 */
export type Patch =
  | readonly [0, unknown]
  | readonly [1, readonly (readonly [string | number, Patch])[], readonly (string | number)[]]

/** The patch that turns one state into the next; null where they are the same. */
export function diff(before: unknown, after: unknown): Patch | null {
  if (Object.is(before, after)) return null
  if (isList(before) && isList(after)) return diffLists(before, after)
  if (isRecord(before) && isRecord(after)) return diffRecords(before, after)
  return [0, after]
}

function diffLists(before: readonly unknown[], after: readonly unknown[]): Patch {
  const changes: [number, Patch][] = []
  // Not by forEach, which would pass over a hole.
  for (const [index, item] of after.entries()) {
    const change = index < before.length ? diff(before[index], item) : ([0, item] as const)
    if (change !== null) changes.push([index, change])
  }
  // A list that was rebuilt is told sooner than all of its changes.
  if (changes.length > after.length / 2 && changes.length > 1) return [0, after]
  return [1, changes, after.length < before.length ? [after.length] : []]
}

function diffRecords(before: Record<string, unknown>, after: Record<string, unknown>): Patch {
  const changes: [string, Patch][] = []
  for (const key of Object.keys(after)) {
    const change = Object.hasOwn(before, key)
      ? diff(before[key], after[key])
      : ([0, after[key]] as const)
    if (change !== null) changes.push([key, change])
  }
  const deleted = Object.keys(before).filter((key) => !Object.hasOwn(after, key))
  return [1, changes, deleted]
}

/** A key is copied in the time of so many items of a list. */
const KEY_COST = 10

/**
 * Applies a patch; the state before is not changed, and what the patch does not name is the very same in the next.
 *
 * @param charge - Hears of each object or list before it is copied, by its entries, those of an object {@link KEY_COST} each;
 *   may throw.
 * @returns The next state, or undefined in `ok: false` where the patch does not fit.
 */
export function applyPatch(
  before: unknown,
  patch: unknown,
  charge: (entries: number) => void = () => undefined,
): { ok: boolean; state: unknown } {
  const [kind, first, deleted] = isList(patch) ? patch : []
  if (kind === 0 && isList(patch) && patch.length === 2) return { ok: true, state: first }
  if (kind !== 1 || !isList(first) || !isList(deleted)) return MISFIT
  if (!isList(before) && !isRecord(before)) return MISFIT
  charge(isList(before) ? before.length : Object.keys(before).length * KEY_COST)
  const next: object = isList(before) ? [...before] : { ...before }
  for (const change of first) {
    if (!isList(change) || change.length !== 2) return MISFIT
    const [key, inner] = change
    // A list grows by one at a time: an index far away would make it huge.
    const isFitting = isList(next) ? isNatural(key) && key <= next.length : typeof key === 'string'
    if (!isFitting) return MISFIT
    const own = Object.getOwnPropertyDescriptor(next, key as string)?.value as unknown
    const { ok, state } = applyPatch(own, inner, charge)
    if (!ok || isMisleading(String(key), state)) return MISFIT
    setOwn(next, key as string, state)
  }
  for (const key of deleted) {
    if (isList(next) && isNatural(key) && key < next.length) (next as unknown[]).length = key
    else if (!isList(next) && typeof key === 'string') Reflect.deleteProperty(next, key)
    else return MISFIT
  }
  return { ok: true, state: next }
}

const MISFIT = Object.freeze({ ok: false, state: undefined })

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}
