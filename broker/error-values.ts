/** Errors as data: class, message, cause and own properties cross, the stack never does. */
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
  if (Class === undefined && name !== 'AggregateError') define(error, 'name', name)
  for (const [key, value] of properties) {
    if (key === 'cause' || key === 'errors') define(error, key, value)
    else if (!NOT_DATA.has(key))
      Object.defineProperty(error, key, {
        value,
        writable: true,
        enumerable: true,
        configurable: true,
      })
  }
  // The stack would be the decoder's own, which helps nobody.
  define(error, 'stack', `${name}: ${message}\n    (on the other side)`)
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

function define(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, {
    value,
    writable: true,
    enumerable: false,
    configurable: true,
  })
}
