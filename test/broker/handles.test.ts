/* eslint-disable @typescript-eslint/unbound-method, @typescript-eslint/no-base-to-string, @typescript-eslint/no-dynamic-delete, @typescript-eslint/await-thenable, @typescript-eslint/no-unnecessary-template-expression, no-prototype-builtins -- a handle meets here whatever may be done to it by mistake */
// Handles answer by themselves what engines, loggers, test and UI libraries ask of any object.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect, types } from 'node:util'
import { Broker, isReference } from 'fastify-perspective/broker'
import { Script, inChild, raw, settled, tick } from './both-ends.js'

interface Handles {
  readonly script: Script
  readonly broker: Broker
  readonly all: (readonly [name: string, handle: object])[]
}

/** The root, an object and a function of a peer that is a script: whatever is asked of it can be seen. */
async function handles(): Promise<Handles> {
  const script = new Script()
  const broker = new Broker(script)
  script.say([0, 1])
  const call = raw(broker.root, 'give')()
  await script.heard()
  script.say([
    19,
    1,
    [
      ['$r', 1],
      ['$f', 2],
    ],
    0,
  ])
  const [object, fn] = (await call) as [object, object]
  return {
    script,
    broker,
    all: [
      ['root', broker.root],
      ['1', object],
      ['2', fn],
    ],
  }
}

describe('a handle asks nobody', () => {
  const questions: [name: string, ask: (handle: object, name: string) => unknown][] = [
    ['await', async (handle) => assert.equal(await Promise.resolve(handle), handle)],
    [
      'JSON.stringify',
      (handle, name) => assert.equal(JSON.stringify([handle]), `["RemoteReference(${name})"]`),
    ],
    [
      'P27 util.inspect',
      (handle, name) =>
        assert.match(inspect({ handle }), new RegExp(`RemoteReference\\(${name}\\)`)),
    ],
    [
      'util.inspect that shows proxies',
      (handle) => assert.ok(inspect(handle, { showProxy: true, showHidden: true })),
    ],
    ['P27 String', (handle, name) => assert.equal(String(handle), `RemoteReference(${name})`)],
    [
      'P27 toString, toLocaleString',
      (handle, name) => {
        const { toString, toLocaleString } = handle
        assert.equal(toString(), `RemoteReference(${name})`)
        assert.equal(toLocaleString(), `RemoteReference(${name})`)
      },
    ],
    [
      'P27 text in a template, and arithmetic',
      (handle, name) => {
        assert.equal(`${handle as unknown as string}`, `RemoteReference(${name})`)
        assert.equal(Number.isNaN(Number(handle)), true)
        assert.equal((handle as unknown as string) + 'x', `RemoteReference(${name})x`)
      },
    ],
    ['valueOf', (handle) => assert.equal(handle.valueOf(), handle)],
    [
      'Object.keys, entries and spread',
      (handle) => {
        assert.deepEqual(Object.keys(handle), [])
        assert.deepEqual(Object.entries({ ...handle }), [])
        for (const key in handle) assert.fail(key)
      },
    ],
    [
      'iteration',
      (handle) => {
        assert.throws(() => [...(handle as Iterable<unknown>)], TypeError)
        assert.equal(Symbol.asyncIterator in handle, false)
        assert.equal(Array.isArray(handle), false)
        assert.throws(() => new Set(handle as Iterable<unknown>), TypeError)
      },
    ],
    [
      'deepEqual',
      (handle) => {
        assert.deepEqual(handle, handle)
        assert.deepEqual({ a: [handle] }, { a: [handle] })
        assert.notDeepEqual(handle, {})
        assert.notDeepEqual(handle, [])
      },
    ],
    [
      'in, hasOwn, hasOwnProperty',
      (handle) => {
        assert.equal('say' in handle, false)
        assert.equal(Object.hasOwn(handle, 'say'), false)
        assert.equal(handle.hasOwnProperty('say'), false)
        assert.equal(handle.propertyIsEnumerable('say'), false)
        assert.equal(Object.getOwnPropertyDescriptor(handle, 'say'), undefined)
      },
    ],
    [
      'instanceof and type checks',
      (handle) => {
        assert.equal(handle instanceof Promise, false)
        assert.equal(handle instanceof Error, false)
        assert.equal(types.isDate(handle), false)
        assert.equal(Object.prototype.toString.call(handle), '[object RemoteReference]')
        assert.equal(typeof handle.constructor, 'function')
      },
    ],
    [
      'P31 what libraries look for',
      (handle) => {
        const own = [
          'then',
          'catch',
          'finally',
          'prototype',
          'inspect',
          'nodeType',
          'tagName',
          'hasAttribute',
        ]
        for (const name of [
          ...own,
          'asymmetricMatch',
          '$$typeof',
          '_isVue',
          '__v_isRef',
          '@@__IMMUTABLE_ITERABLE__@@',
        ]) {
          assert.equal((handle as Record<string, unknown>)[name], undefined, name)
        }
      },
    ],
    [
      'set, delete and define throw',
      (handle, name) => {
        const target = handle as Record<string, unknown>
        const readOnly = new RegExp(`RemoteReference\\(${name}\\) is read-only: cannot`)
        assert.throws(() => (target['say'] = 1), readOnly)
        assert.throws(() => delete target['say'], readOnly)
        assert.throws(() => Object.defineProperty(target, 'say', { value: 1 }), readOnly)
        assert.throws(() => Object.assign(target, { say: 1 }), readOnly)
      },
    ],
    [
      'marks of UI libraries can be set and deleted',
      (handle) => {
        const target = handle as Record<string | symbol, unknown>
        const mark = Symbol('mark')
        for (const key of ['__v_skip', mark]) {
          target[key] = true
          assert.equal(Reflect.get(target, key), key === mark ? true : target[key])
          assert.equal(delete target[key], true)
          Object.defineProperty(target, key, { value: true, configurable: true })
          assert.equal(delete target[key], true)
        }
      },
    ],
    [
      'as a key, in WeakMap and Set',
      (handle) => {
        assert.equal(new WeakMap([[handle, 1]]).get(handle), 1)
        assert.equal(new Set([handle, handle]).size, 1)
        assert.equal(isReference(handle), true)
      },
    ],
    [
      'structuredClone refuses it',
      (handle) => assert.throws(() => structuredClone(handle), { name: 'DataCloneError' }),
    ],
    [
      'a look at a method calls nothing',
      (handle) => {
        // A function has no methods over there.
        const expected = typeof handle === 'function' ? 'undefined' : 'function'
        assert.equal(typeof (handle as Record<string, unknown>)['say'], expected)
      },
    ],
  ]
  for (const [name, ask] of questions) {
    test(name, async () => {
      const { script, broker, all } = await handles()
      await script.heard()
      for (const [id, handle] of all) await ask(handle, id)
      assert.deepEqual(await script.heard(), [])
      for (const [, handle] of all) (handle as Disposable)[Symbol.dispose]()
      await settled(broker)
      script.end()
    })
  }

  test('P27 nor does the promise of a call: logged, compared, shown as JSON, raced', async () => {
    const { script, broker } = await handles()
    const call = raw(broker.root, 'give')()
    await script.heard()
    assert.match(inspect(call), /^Promise|CallPromise/)
    assert.equal(String(call), '[object Promise]')
    assert.doesNotThrow(() => JSON.stringify({ call }))
    assert.deepEqual(call, call)
    assert.equal((call as { nodeType?: unknown }).nodeType, undefined)
    assert.equal(await Promise.race([call, 'first']), 'first')
    assert.deepEqual(await script.heard(), [])
    script.end()
    await assert.rejects(call)
  })
})

describe('promises are born handled', () => {
  test('P24 P57 a peer that vanishes ends no process, whatever was on its way', () => {
    const printed = inChild(`
      import { Broker, localPair, reference, release, tell, transportPair } from 'fastify-perspective/broker'
      const never = () => new Promise(() => {})
      const fail = async () => { throw new Error('x') }
      const root = { never, fail, give: () => reference({ never, fail }), take: never }
      const [left, right] = localPair({ root }, { root })
      const ref = await left.root.give()
      for (const side of [left, right]) {
        side.root.never()
        side.root.fail()
        side.root.nothing().at('all')
        side.root.never().chained().twice()
        side.root.take(side.root.never(), () => 1)
        side.root.take(Symbol('unsendable'))
        side.root.take(new Promise(() => {}))
      }
      ref.never()
      const older = ref.never()
      await new Promise((resolve) => setTimeout(resolve, 10))
      older.late()
      left.root.take(older)
      right.close()
      ref.never()
      older.later()
      await left.closed
      left.root.give().next()
      await new Promise((resolve) => setTimeout(resolve, 20))
      console.log('alive', JSON.stringify([left.stats, right.stats]))
    `)
    assert.match(printed, /^alive/)
    assert.deepEqual(printed.match(/[1-9]/g), null)
  })

  test('an awaited call still rejects where it is awaited', async () => {
    const { script, broker } = await handles()
    const call = raw(broker.root, 'give')()
    script.end()
    await tick()
    await assert.rejects(call, { code: 'PB_ERR_CONNECTION_LOST' })
    await assert.rejects(raw(broker.root, 'give')(), {
      code: 'PB_ERR_REF_DEAD',
    })
  })
})
