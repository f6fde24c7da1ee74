/** Errors as data: class, message, cause and own properties cross, the stack never does. */
import { setOwn } from './plain-value.js'

const CLASSES: Readonly<Record<string, new (message: string) => Error>> = Object.assign(
  Object.create(null) as Record<string, new (message: string) => Error>,
  { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError },
)

/** Names that are the prototype's business or already have a place of their own. */
const NOT_DATA: ReadonlySet<string> = new Set([
  'name',
  'message',
  'stack',
  'cause',
  'errors',
  'constructor',
  'toString',
  '__proto__',
])

/** What of an error is data: its own enumerable properties, and `cause` and `errors` where it has them. */
export function propertiesOfError(error: Error): string[] {
  return [
    ...Object.keys(error).filter((key) => !NOT_DATA.has(key)),
    ...['cause', 'errors'].filter((key) => Object.hasOwn(error, key)),
  ]
}

/** Makes the error that was sent: of its class where that is a built-in one, else an `Error` of that name. */
export function errorFromParts(
  name: string,
  message: string,
  properties: [string, unknown][],
): Error {
  const errors = properties.find(([key]) => key === 'errors')?.[1]
  const Class = CLASSES[name]
  const error = withoutStack(() =>
    name === 'AggregateError'
      ? new AggregateError(Array.isArray(errors) ? (errors as unknown[]) : [], message)
      : new (Class ?? Error)(message),
  )
  if (Class === undefined && name !== 'AggregateError') setOwn(error, 'name', name, false)
  for (const [key, value] of properties) {
    if (key === 'cause' || key === 'errors') setOwn(error, key, value, false)
    else if (!NOT_DATA.has(key)) setOwn(error, key, value)
  }
  // The stack would be the decoder's own, which helps nobody.
  setOwn(error, 'stack', `${name}: ${message}\n    (on the other side)`, false)
  return error
}

/** V8 walks the stack for every error made: most of what a frame full of errors costs. */
function withoutStack<T>(make: () => T): T {
  const limit: unknown = Reflect.get(Error, 'stackTraceLimit')
  Reflect.set(Error, 'stackTraceLimit', 0)
  try {
    return make()
  } finally {
    Reflect.set(Error, 'stackTraceLimit', limit)
  }
}
