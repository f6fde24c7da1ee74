import type { ExposedMethod } from './exposure.js'
import type { StandardSchemaV1 } from './remote-methods.js'
import { Refusal } from './errors.js'

/**
 * Checks a call's arguments against the schemas of the method.
 *
 * @returns What the method is called with: the schemas' outputs.
 * @throws Refusal `PB_ERR_CALL_ARGUMENTS` - too many, or one that its schema refuses; names which.
 * @throws TypeError - a schema that answers a promise: calls start in the order made.
 */
export function checkArguments(name: string, method: ExposedMethod, args: unknown[]): unknown[] {
  const { args: schemas, rest } = method
  if (schemas === null) return args
  if (rest === null && args.length > schemas.length) {
    throw new Refusal(
      'PB_ERR_CALL_ARGUMENTS',
      `${name}: expected at most ${String(schemas.length)} arguments, got ${String(args.length)}`,
    )
  }
  const checked: unknown[] = schemas.map((schema, index) => check(name, schema, index, args[index]))
  if (rest !== null) {
    for (let index = schemas.length; index < args.length; index++) {
      checked.push(check(name, rest, index, args[index]))
    }
  }
  return checked
}

function check(name: string, schema: StandardSchemaV1, index: number, value: unknown): unknown {
  const result = schema['~standard'].validate(value)
  if (result instanceof Promise) {
    result.catch(() => undefined)
    throw new TypeError(
      `${name}: the schema of args[${String(index)}] is asynchronous, which is not possible here`,
    )
  }
  if (result.issues === undefined) return result.value
  const [issue] = result.issues
  let path = `args[${String(index)}]`
  for (const step of issue?.path ?? []) {
    const key = typeof step === 'object' ? step.key : step
    path += typeof key === 'number' ? `[${String(key)}]` : `.${String(key)}`
  }
  throw new Refusal('PB_ERR_CALL_ARGUMENTS', `${name}: ${path}: ${issue?.message ?? 'refused'}`)
}
