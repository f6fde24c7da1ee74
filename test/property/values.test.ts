// Whatever can cross arrives as what it was, at any depth. Seeded: a failure prints its seed and path, and comes again.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { localPair, reference } from 'fastify-perspective/broker'

const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 1500)
const SEED = Number(process.env['PROPERTY_SEED'] ?? 20_261_125)

const [left] = localPair({}, { root: reference({ echo: (value: unknown) => value } as never) })
const { echo } = left.root as unknown as { readonly echo: (value: unknown) => Promise<unknown> }

/** Text that looks like what it is not. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '$',
    '$u',
    '$r',
    '$f',
    '$y',
    '$p',
    '$zz',
    '__proto__',
    'constructor',
    'then',
    'toJSON',
    '\u2028',
    '\ud800',
  ),
)
const bytes = fc.uint8Array({ maxLength: 40 })
const views = bytes.chain((array) => {
  const whole = array.slice(0, array.length - (array.length % 8)).buffer
  return fc.constantFrom<unknown>(
    array,
    array.buffer.slice(0),
    array.subarray(array.length >> 1),
    Buffer.from(array),
    new DataView(array.buffer, array.length >> 1),
    ...[Int8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array].map(
      (View) => new View(whole),
    ),
    ...[Float32Array, Float64Array, BigInt64Array, BigUint64Array].map((View) => new View(whole)),
  )
})
const scalar = fc.oneof(
  text,
  fc.boolean(),
  fc.double(),
  fc.integer(),
  fc.constantFrom(null, undefined, NaN, -0, Infinity, -Infinity, 2 ** 53, Number.MIN_VALUE),
  fc.bigInt(),
  fc.date({ noInvalidDate: false }),
  views,
)
const dataKey = text.filter((key) => key !== 'stack')

const { value } = fc.letrec<{ value: unknown }>((tie) => {
  const inner = tie('value')
  const pairs = fc.array(fc.tuple(dataKey, inner), { maxLength: 4 })
  return {
    value: fc.oneof(
      { depthSize: 'medium', withCrossShrink: true, maxDepth: 8 },
      scalar,
      fc.array(inner, { maxLength: 5 }),
      fc.tuple(text, inner).map(([first, rest]) => [first, rest]),
      fc.sparseArray(inner, { maxNumElements: 3, maxLength: 8 }),
      // Not an assignment: `__proto__` is a key like any other.
      pairs.map((entries) => Object.fromEntries(entries)),
      pairs.map((entries) => new Map<unknown, unknown>(entries)),
      fc.array(fc.tuple(inner, inner), { maxLength: 3 }).map((entries) => new Map(entries)),
      fc.array(inner, { maxLength: 4 }).map((items) => new Set(items)),
      fc
        .tuple(text, inner, pairs)
        .map(([message, cause, entries]) =>
          Object.assign(
            new RangeError(message, { cause }),
            Object.fromEntries(
              entries.filter(
                ([key]) =>
                  /^[a-z]+$/.test(key) &&
                  !['constructor', 'cause', 'name', 'message'].includes(key),
              ),
            ),
          ),
        ),
      fc
        .tuple(text, fc.array(inner, { maxLength: 3 }))
        .map(([message, errors]) => new AggregateError(errors, message)),
    ),
  }
})

/** What arrives: holes are `undefined`, a Buffer is a Uint8Array, a view has a buffer of its own, an error no stack. */
function normal(item: unknown): unknown {
  if (typeof item !== 'object' || item === null) return item
  const tag = Object.prototype.toString.call(item).slice(8, -1)
  if (Array.isArray(item)) return Array.from(item as unknown[], normal)
  if (tag === 'Date') return { tag, time: (item as Date).getTime() }
  if (tag === 'Map') return { tag, entries: Array.from(item as Map<unknown, unknown>, normal) }
  if (tag === 'Set') return { tag, items: Array.from(item as Set<unknown>, normal) }
  if (tag === 'Error') {
    const { name, message, cause, errors } = item as AggregateError
    const own = Object.entries(item).map(([key, inner]) => [key, normal(inner)])
    return {
      tag,
      name,
      message,
      hasCause: 'cause' in item,
      cause: normal(cause),
      errors: normal(errors),
      own,
    }
  }
  if (item instanceof ArrayBuffer || tag === 'ArrayBuffer')
    return { tag, bytes: Buffer.from(item as ArrayBuffer).toString('hex') }
  if (ArrayBuffer.isView(item)) {
    const { buffer, byteOffset, byteLength } = item
    return {
      tag,
      bytes: Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength).toString('hex'),
    }
  }
  return { tag, own: Object.entries(item).map(([key, inner]) => [key, normal(inner)]) }
}

const arrives = async (sent: unknown): Promise<void> => {
  const expected = normal(sent)
  assert.deepStrictEqual(normal(await echo(sent)), expected)
  // The sender's own is as it was.
  assert.deepStrictEqual(normal(sent), expected)
}

describe('values', () => {
  test('P1–P5, P12: of every kind arrive as they were, at any depth', async () => {
    await fc.assert(fc.asyncProperty(value, arrives), { numRuns: RUNS, seed: SEED })
  })

  test("several at once do not get into each other's way", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(value, { maxLength: 6 }), async (values) => {
        await Promise.all(values.map(arrives))
      }),
      { numRuns: RUNS / 5, seed: SEED },
    )
  })

  test('P1: of another realm are what they are there', async () => {
    for (const source of [
      '({ a: [1, undefined, { b: 2 }], n: NaN })',
      '[new Date(5), new Date(NaN)]',
      'new Map([[{ a: 1 }, new Set([[1], -0])]])',
      'new Uint8Array([1, 2, 3]).subarray(1)',
      'new Uint16Array([1, 2, 3]).buffer',
      'new DataView(new ArrayBuffer(4), 2)',
      'Object.assign(new TypeError("no", { cause: new Error("inner") }), { code: "A" })',
      'new AggregateError([new Error("one"), 2], "several")',
      'Object.create(null, { a: { value: 1, enumerable: true } })',
    ]) {
      await arrives(runInNewContext(source))
    }
    const back = await echo(runInNewContext('({ list: [new Map()] })'))
    assert.equal(Object.getPrototypeOf(back), Object.prototype)
    assert.ok((back as { list: unknown[] }).list[0] instanceof Map)
  })

  test("P8: a Buffer and a Uint8Array are the same bytes, and neither is the sender's", async () => {
    const buffer = Buffer.from([1, 2, 3])
    const call = echo(buffer)
    buffer[0] = 9
    const back = await call
    assert.deepEqual(back, new Uint8Array([1, 2, 3]))
    assert.equal((back as Uint8Array).buffer.byteLength, 3)
  })

  test('P68: errors keep class, cause, list and own properties; P69: never the stack', async () => {
    class Failure extends Error {
      override readonly name = 'Failure'
    }
    const sent = Object.assign(new Failure('no', { cause: new TypeError('deep') }), {
      errors: [1],
      code: 'E',
    })
    const back = (await echo(sent)) as Failure & { errors: unknown; code: string }
    assert.deepEqual([back.name, back.message, back.code, back.errors], ['Failure', 'no', 'E', [1]])
    assert.ok(back.cause instanceof TypeError)
    assert.doesNotMatch(String(back.stack), /values\.test|file:|node:/)
    const several = (await echo(new AggregateError([new URIError('a')], 'b'))) as AggregateError
    assert.ok(several instanceof AggregateError && several.errors[0] instanceof URIError)
  })

  test('P71: a property that cannot cross, or throws when read, does not stop its error', async () => {
    const sent = Object.assign(new Error('told'), {
      bad: Symbol('no'),
      toJSON: () => 1,
      then: () => 1,
      good: 1,
    })
    Object.defineProperty(sent, 'worse', {
      enumerable: true,
      get: () => {
        throw new Error('of a getter')
      },
    })
    const back = (await echo(sent)) as Error & { good: number }
    assert.deepEqual([back.message, back.good, Object.keys(back)], ['told', 1, ['good']])
  })

  test('P9: what is no data is a rejection that names it, also where it cannot be printed', async () => {
    class Socket {
      toString(): string {
        throw new Error('not to be printed')
      }
    }
    for (const bad of [
      new Socket(),
      Symbol('a'),
      new WeakMap(),
      Promise.resolve(1),
      /a/,
      Object.create({ a: 1 }) as object,
    ]) {
      await assert.rejects(async () => echo({ deep: [bad] }), {
        code: 'PB_ERR_CALL_UNSENDABLE',
        message: /^args\[0\]\.deep\[0\]: .* cannot cross/,
      })
    }
    assert.equal(left.stats.pending, 0)
  })
})
