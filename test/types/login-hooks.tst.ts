import { describe, expect, test } from 'tstyche'
import {
  type LoginAttempt,
  type LoginHooks,
  LoginRefusedError,
  type PerspectiveOptions,
  type User,
} from 'fastify-perspective'

declare const attempt: LoginAttempt

describe('LoginHooks', () => {
  test('see the attempt, and after success the user; never the credentials', () => {
    expect<Required<LoginHooks>['beforeCheck']>().type.toBe<
      (attempt: LoginAttempt) => void | Promise<void>
    >()
    expect<Required<LoginHooks>['succeeded']>().type.toBe<
      (attempt: LoginAttempt, user: User) => void | Promise<void>
    >()
    expect<keyof LoginAttempt>().type.toBe<
      'type' | 'checker' | 'accountName' | 'ip' | 'headers' | 'requestId' | 'signal'
    >()
    expect(attempt.accountName).type.toBe<string | null>()
  })

  test('are an option of the plugin', () => {
    expect<LoginHooks>().type.toBeAssignableTo<NonNullable<PerspectiveOptions['loginHooks']>>()
    expect<{
      beforeCheck: (attempt: LoginAttempt) => string
    }>().type.not.toBeAssignableTo<LoginHooks>()
  })

  test('refuse with 403 or 429', () => {
    expect(LoginRefusedError).type.toBeConstructableWith('Locked.', { statusCode: 429 as const })
    expect(LoginRefusedError).type.not.toBeConstructableWith('Locked.', {
      statusCode: 401 as const,
    })
    expect(LoginRefusedError).type.not.toBeConstructableWith()
  })
})
