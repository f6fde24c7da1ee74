import { describe, expect, test } from 'tstyche'
import type {
  Avatar,
  AvatarSession,
  DjangoUser,
  RemoteMethods,
  SessionUser,
  User,
} from 'fastify-perspective'
import type { Remote } from 'fastify-perspective/broker'

declare const avatar: Avatar
declare const session: AvatarSession

describe('SessionUser', () => {
  test("is the avatar's user and the session's", () => {
    expect(avatar.user).type.toBe<SessionUser>()
    expect(session.user).type.toBe<SessionUser>()
    expect(session.user).type.toBeAssignableTo<DjangoUser>()
    expect<User>().type.not.toBeAssignableTo<SessionUser>()
  })

  test('has groups to read, and answers about permissions in promises', () => {
    expect(session.user.groups).type.toBe<readonly string[]>()
    expect(session.user.hasPerm('chat.delete_line')).type.toBe<Promise<boolean>>()
    expect(session.user.hasModulePerms('chat')).type.toBe<Promise<boolean>>()
    expect(session.user.hasPerm).type.not.toBeCallableWith(5)
    expect(session.user.hasModulePerms).type.not.toBeCallableWith()
    expect(session.hasPerm('chat.delete_line')).type.toBe<Promise<boolean>>()
  })

  test('can be answered by a method', () => {
    interface Me {
      me(): User
    }
    class Clerk {
      me(): SessionUser {
        return session.user
      }
    }
    expect<Clerk>().type.toBeAssignableTo<Me>()
    expect<Awaited<ReturnType<Remote<Me>['me']>>>().type.toBe<User>()
    expect<RemoteMethods<Me>>().type.toBeAssignableFrom<{ me: true }>()
  })
})
