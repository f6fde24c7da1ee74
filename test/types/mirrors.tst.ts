import { describe, expect, test } from 'tstyche'
import type {
  Cacheable,
  Copyable,
  Local,
  Mirror,
  Received,
  Referenceable,
  Remote,
  Sendable,
  Viewable,
} from 'fastify-perspective/broker'

interface Row {
  readonly id: number
  readonly tags: readonly string[]
}
declare class Table extends Cacheable<{ rows: readonly Row[] }> {
  add(row: Row): void
}
declare class Money extends Copyable {
  amount: bigint
  plus(other: Money): Money
}
interface Api {
  table(): Table
  tables(): Map<string, Table>
  take(table: Table): void
  price(): Money
  pay(amount: Money): Money
}
declare const api: Remote<Api>
declare const money: Money

describe('a Cacheable', () => {
  test('is a Mirror of its state at its holder', () => {
    expect<Awaited<ReturnType<typeof api.table>>>().type.toBe<Mirror<{ rows: readonly Row[] }>>()
    expect<Awaited<ReturnType<typeof api.tables>>>().type.toBe<
      Map<string, Mirror<{ rows: readonly Row[] }>>
    >()
  })

  test('has the two members that useSyncExternalStore takes, and no method of the class', () => {
    const mirror = null as unknown as Mirror<number>
    expect(mirror.state).type.toBe<number>()
    expect(mirror.subscribe).type.toBe<(listener: () => void) => () => void>()
    expect<Received<Table>>().type.not.toHaveProperty('add')
    expect<Received<Table>>().type.not.toHaveProperty('update')
  })

  test('shows its own state to its owner', () => {
    const table = null as unknown as Table
    expect(table.state).type.toBe<{ rows: readonly Row[] }>()
  })

  test('is answered as it is', () => {
    expect<Local<Pick<Api, 'table'>>>().type.toBeAssignableFrom({
      table: () => null as unknown as Table,
    })
    expect<Local<Pick<Api, 'table'>>>().type.not.toBeAssignableFrom({ table: () => ({ rows: [] }) })
  })
})

describe('a Cacheable whose state holds objects', () => {
  interface Note extends Referenceable {
    text(): string
  }
  interface Notes {
    live(): Cacheable<{ readonly notes: readonly Note[] }>
    all(): { readonly live: Cacheable<{ readonly notes: readonly Note[] }> }
  }
  interface Caller {
    readonly name: string
  }
  interface AsyncNote extends Referenceable {
    text(): Promise<string>
  }
  interface ViewedNote extends Viewable<Caller> {
    text(caller: Caller): string
  }
  type Live<T> = Cacheable<{ readonly notes: readonly T[] }>

  test('has references in its mirror', () => {
    const notes = null as unknown as Remote<Notes>
    expect(notes.live()).type.toBeAssignableTo<
      PromiseLike<Mirror<{ readonly notes: readonly Remote<Note>[] }>>
    >()
  })

  test('is answered with the objects of its owner: of the contract, async, or viewed', () => {
    expect<Local<Notes>['live']>().type.toBeAssignableFrom(() => null as unknown as Live<Note>)
    expect<Local<Notes>['live']>().type.toBeAssignableFrom(() => null as unknown as Live<AsyncNote>)
    expect<Local<Notes>['live']>().type.toBeAssignableFrom(
      () => null as unknown as Live<ViewedNote>,
    )
    expect<Local<Notes>['all']>().type.toBeAssignableFrom(() => ({
      live: null as unknown as Live<ViewedNote>,
    }))
  })

  test('is refused with objects that do not keep the contract', () => {
    expect<Local<Notes>['live']>().type.not.toBeAssignableFrom(
      () => null as unknown as Live<Referenceable>,
    )
    expect<Local<Notes>['live']>().type.not.toBeAssignableFrom(
      () => null as unknown as Live<string>,
    )
    expect<Local<Notes>['all']>().type.not.toBeAssignableFrom(() => ({
      live: { notes: [null as unknown as Note] },
    }))
  })
})

describe('a Copyable', () => {
  test('is of its own class on both sides', () => {
    expect<Awaited<ReturnType<typeof api.price>>>().type.toBe<Money>()
    expect<Received<Money>>().type.toBe<Money>()
    expect<Sendable<Money>>().type.toBe<Money>()
    expect(api.pay).type.toBeCallableWith(money)
    expect(api.pay).type.not.toBeCallableWith({ amount: 5n })
  })

  test('is no reference', () => {
    expect<Money>().type.not.toBeAssignableTo<Referenceable>()
    expect(api.price()).type.not.toHaveProperty('plus')
  })
})
