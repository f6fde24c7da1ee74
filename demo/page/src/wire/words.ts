/** The messages on the wire, in words. */
import type { Message } from './frames.js'

const MAX_TEXT = 26
const MAX_ITEMS = 4

/** What a message says. `key`: the same for messages that differ in their values alone. */
export interface Said {
  readonly key: string
  readonly verb: string
  readonly what: string
}

/** What became of a call: its method, and for ours how long it took. */
export interface Settled {
  readonly method: string
  readonly ms: number | null
}

/** `settled`: of an answer or an error. */
export function describe(message: Message, settled: Settled | null): Said {
  const [kind, ...fields] = message
  const [id, second, third, fourth] = fields
  const of = settled === null ? 'a call' : settled.method
  const took = settled?.ms == null ? '' : `  ${settled.ms.toFixed(1)} ms`
  switch (kind % 16) {
    case 0:
      return say('hello', userOf(second))
    case 1:
      return say('call', callText(second, third, fourth), `${String(second)}${String(third)}`)
    case 2:
      return say('tell', callText(id, second, third), `${String(id)}${String(second)}`)
    case 3:
      return say('answer', `to ${of}: ${second === undefined ? 'done' : show(second)}${took}`, of)
    case 4:
      return second === 'PB_ERR_CALL_DENIED'
        ? say('refuse', String(third))
        : say('error', `of ${of}: ${String(second)}`)
    case 5:
      return say('release', `objects ${ids(fields)}`, '')
    case 6:
      return say('cancel', 'a call')
    case 7:
      return say('abort', `signal ${String(id)}`)
    case 8:
      return say('forget', `signal ${String(id)}`)
    case 9:
      return say('chunk', `of stream ${String(id)}: ${show(second)}`, String(id))
    case 10:
      return say('end', `of stream ${String(id)}`)
    case 11:
      return say('fail', `stream ${String(id)}: ${String(second)}`)
    case 12:
      return say('credit', `stream ${String(id)} may go on: ${kilobytes(second)}`, String(id))
    case 13:
      return say('stop', `stream ${String(id)}`)
    case 14:
      return say('update', `mirror ${String(id)}: ${changes(second).join(', ')}`, String(id))
    case 15:
      // Between the two brokers, to keep the session: nothing to read out.
      return say('notice', '')
    default:
      return say('message', `of kind ${kind}`)
  }
}

/** Of what a server says in its hello only the name is for this panel. */
function userOf(info: unknown): string {
  const { user } = (info ?? {}) as { user?: { username?: unknown } }
  return user === undefined ? '' : String(user.username)
}

function say(verb: string, what: string, key = what): Said {
  return { verb, what, key: `${verb} ${key}` }
}

function callText(target: unknown, method: unknown, args: unknown): string {
  const values = (Array.isArray(args) ? args : []).map((value) => show(value)).join(', ')
  const on = target === 0 ? '' : ` on object ${String(target)}`
  return `${String(method) || 'it'}(${values})${on}`
}

/** Every other field of a release is a count. */
const ids = (fields: readonly unknown[]) => fields.filter((_, index) => index % 2 === 0).join(', ')

const kilobytes = (bytes: unknown) => `${Math.round(Number(bytes) / 1024)} kB`

/** The leaves of a patch: `note3.x = 120`. */
function changes(patch: unknown, path = ''): string[] {
  if (!Array.isArray(patch)) return []
  const [kind, first, deleted] = patch as [number, unknown, unknown]
  if (kind === 0) return [`${path || 'all'} = ${show(first)}`]
  const inner = (first as [string | number, unknown][]).flatMap(([key, change]) =>
    changes(change, path === '' ? String(key) : `${path}.${key}`),
  )
  const gone = (deleted as (string | number)[]).map((key) => `${path}${path && '.'}${key} gone`)
  return [...inner, ...gone]
}

const TAGS: Record<string, string> = {
  $r: 'object',
  $f: 'function',
  $y: 'your object',
  $c: 'mirror',
  $a: 'signal',
  $t: 'stream',
}

const KINDS: Record<string, string> = { $b: 'bytes', $m: 'a Map', $s: 'a Set', $e: 'an error' }

/** A value with its tags (section 5), cut short. */
export function show(value: unknown): string {
  if (typeof value === 'string') {
    return value.length > MAX_TEXT ? `“${value.slice(0, MAX_TEXT)}…”` : `“${value}”`
  }
  if (typeof value === 'number') return String(Math.round(value * 10) / 10)
  if (typeof value !== 'object' || value === null) return String(value)
  if (Array.isArray(value)) {
    const [tag, id] = value as unknown[]
    if (typeof tag !== 'string' || !tag.startsWith('$')) return `${value.length} items`
    if (tag === '$d') return new Date(Number(id)).toISOString()
    if (tag === '$u') return 'undefined'
    return TAGS[tag] === undefined ? (KINDS[tag] ?? 'a value') : `${TAGS[tag]} ${String(id)}`
  }
  const entries = Object.entries(value)
  const shown = entries.slice(0, MAX_ITEMS).map(([key, item]) => `${key}: ${show(item)}`)
  return `{ ${shown.join(', ')}${entries.length > MAX_ITEMS ? ', …' : ''} }`
}
