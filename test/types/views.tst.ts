import { describe, expect, test } from 'tstyche'
import type {
  Referenceable,
  Remote,
  RemoteMethods,
  RemotePromise,
  Viewable,
  Views,
} from 'fastify-perspective/broker'
import { z } from 'zod'

interface Avatar extends Referenceable {
  readonly name: string
}
interface Door extends Referenceable {
  enter(words: string): string
  lock(): void
}
declare class DoorView extends Viewable<Avatar> {
  enter(caller: Avatar, words: string): string
  lock(caller: Avatar): void
  self(): this
}

describe('Views<T, Caller>', () => {
  test('is the contract with the caller first', () => {
    expect<Views<Door, Avatar>>().type.toBeAssignableFrom({
      enter: (caller: Avatar, words: string) => caller.name + words,
      lock: async (_caller: Avatar) => {},
    })
    expect<DoorView>().type.toBeAssignableTo<Views<Door, Avatar>>()
  })

  test('refuses a method that takes something else first', () => {
    expect<Views<Pick<Door, 'enter'>, Avatar>>().type.not.toBeAssignableFrom({
      enter: (words: string) => words,
    })
  })
})

describe('an argument that a contract takes by reference', () => {
  const mind = null as unknown as Remote<{ opened(door: Door): void; all(doors: Door[]): void }>

  test('is an object of whatever class keeps that contract', () => {
    const asyncDoor = null as unknown as Referenceable & {
      enter(words: string): Promise<string>
      lock(): Promise<void>
    }
    expect(mind.opened).type.toBeCallableWith(null as unknown as Door)
    expect(mind.opened).type.toBeCallableWith(asyncDoor)
    expect(mind.opened).type.toBeCallableWith(null as unknown as DoorView)
    expect(mind.all).type.toBeCallableWith([asyncDoor, null as unknown as DoorView])
  })

  test('is refused where it keeps another one, or crosses as a copy', () => {
    expect(mind.opened).type.not.toBeCallableWith(null as unknown as Referenceable)
    expect(mind.opened).type.not.toBeCallableWith({ enter: (words: string) => words, lock() {} })
  })
})

describe('RemoteMethods of a Viewable', () => {
  test('has schemas for what the peer sends, not for the caller', () => {
    expect<RemoteMethods<DoorView>>().type.toBeAssignableFrom({
      enter: [z.string()],
      lock: { requires: 'door.lock' },
      self: true,
    } as const)
    expect<RemoteMethods<Pick<DoorView, 'enter'> & Viewable<Avatar>>>().type.not.toBeAssignableFrom(
      {
        enter: [z.unknown(), z.string()],
      } as const,
    )
    expect<RemoteMethods<Pick<DoorView, 'lock'> & Viewable<Avatar>>>().type.not.toBeAssignableFrom({
      lock: [z.string()],
    } as const)
  })
})

describe('Remote of a Viewable', () => {
  const door = null as unknown as Remote<DoorView>

  test('does not show the caller to who calls', () => {
    expect(door.enter).type.toBeCallableWith('hello')
    expect(door.enter).type.not.toBeCallableWith(null as unknown as Avatar, 'hello')
    expect(door.lock).type.toBeCallableWith()
    expect(door.enter('x')).type.toBe<RemotePromise<string>>()
  })

  test('takes no argument where the method takes not even the caller', () => {
    expect(door.self).type.toBeCallableWith()
    expect(door.self).type.not.toBeCallableWith(1)
  })
})
