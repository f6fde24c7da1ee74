/** The administrator's switch: it writes Django's own user table, where the plugin looks whose sessions may go on. */
import { RemoteError, type User } from 'fastify-perspective'
import type { Pool } from 'pg'
import type { Member } from '../contract.js'

const MAX_MEMBERS = 100

export class Members {
  readonly #pool: Pool

  constructor(pool: Pool) {
    this.#pool = pool
  }

  async list(): Promise<Member[]> {
    const { rows } = await this.#pool.query<Member>(
      `SELECT id::text, username, is_active AS "isActive" FROM auth_user ORDER BY username LIMIT $1`,
      [MAX_MEMBERS],
    )
    return rows
  }

  async setActive(memberId: string, isActive: boolean, by: User): Promise<void> {
    if (memberId === by.id) throw new RemoteError('SELF', 'You would lock yourself out.')
    await this.#pool.query('UPDATE auth_user SET is_active = $2 WHERE id::text = $1', [
      memberId,
      isActive,
    ])
  }
}
