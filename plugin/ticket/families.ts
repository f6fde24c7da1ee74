/**
 * Families of renewal tokens: one for each login, with the token that its page holds. A page that lost an answer may ask
 * again with the token that it has; a token that its page has confirmed to have replaced is a stolen one, and the whole
 * family ends. In this process's memory: a family that is not known, as after a restart, is taken as its token says.
 */
import { userKeyOf } from '../portal/portal.js'

/** What a renewal token says of its family. */
export interface FamilyToken {
  readonly fam: string
  readonly jti: string
  readonly sub: string
  readonly chk: string
  readonly ver: string
  /** Seconds since 1970. */
  readonly iat: number
}

/** What a token is worth: `current`; `dead`: its family has ended; `reused`: it was replaced, and its family has ended now. */
export type FamilyVerdict = 'current' | 'dead' | 'reused'

interface Family {
  readonly userKey: string
  /** The token that the page is known to hold. */
  confirmed: string
  /** The one that it was told of last, and has not confirmed yet. */
  pending: string | null
  ver: string
  /** What `ver` is since we have written the password anew; the row may have either for a moment. */
  upgradedVer: string | null
  untilMs: number
}

/** About 60 MB; the families that were not heard of for longest are forgotten. */
const MAX_FAMILIES = 200_000

export class Families {
  readonly #now: () => number
  readonly #keepMs: number
  /** In the order in which they were heard of. */
  readonly #families = new Map<string, Family>()
  readonly #ofUser = new Map<string, Set<string>>()
  /** Of families that have ended, and until when a token of theirs may be out. */
  readonly #dead = new Map<string, number>()
  /** Of users who were disconnected, and when: their families that are not known here have ended, too. */
  readonly #disconnectedAt = new Map<string, number>()

  /** `keepMs`: how long a token is good, with what clocks may differ. */
  constructor(now: () => number, keepMs: number) {
    this.#now = now
    this.#keepMs = keepMs
  }

  /** How many are known. */
  get size(): number {
    return this.#families.size
  }

  /** A login begins a family with its first token. */
  begin(token: FamilyToken): void {
    this.#forgetExpired()
    const { fam, jti, ver } = token
    const userKey = userKeyOf(token.chk, token.sub)
    this.#families.set(fam, {
      userKey,
      confirmed: jti,
      pending: null,
      ver,
      upgradedVer: null,
      untilMs: this.#until(),
    })
    const fams = this.#ofUser.get(userKey)
    if (fams === undefined) this.#ofUser.set(userKey, new Set([fam]))
    else fams.add(fam)
  }

  /** A page shows a token. One that was pending is confirmed by it. */
  present(token: FamilyToken): FamilyVerdict {
    const family = this.#find(token)
    if (family === null) return 'dead'
    if (family.pending === token.jti) this.#confirm(family, token.jti)
    if (family.confirmed === token.jti) return 'current'
    this.revoke(token.fam)
    return 'reused'
  }

  /** Whether a ticket's token, its `rj`, is the one that its page holds. */
  isCurrent(token: FamilyToken): boolean {
    return this.#find(token)?.confirmed === token.jti
  }

  /** What the account was when the family began, and what it is where we have written the password anew; empty: not known. */
  versOf(fam: string): string[] {
    const family = this.#families.get(fam)
    if (family === undefined) return []
    return family.upgradedVer === null ? [family.ver] : [family.ver, family.upgradedVer]
  }

  /** A session is about to tell its page the next token, which replaces one that was told before and not confirmed. */
  offer(fam: string, jti: string): void {
    const family = this.#families.get(fam)
    if (family === undefined) return
    family.pending = jti
    this.#touch(fam, family)
  }

  /** The page says that it keeps a token; the one before is dead from now on. */
  kept(fam: string, jti: string): void {
    const family = this.#families.get(fam)
    if (family?.pending === jti) this.#confirm(family, jti)
  }

  /** Ends a family, whether it is known or not. */
  revoke(fam: string): void {
    this.#remove(fam)
    this.#dead.delete(fam)
    this.#dead.set(fam, this.#until())
  }

  /** Ends every family of a user. */
  revokeUser(userKey: string): void {
    for (const fam of [...(this.#ofUser.get(userKey) ?? [])]) this.revoke(fam)
    this.#disconnectedAt.delete(userKey)
    this.#disconnectedAt.set(userKey, this.#now())
  }

  /** A password that we write anew is the same password: the user's families whose `ver` is the old one are good with both. */
  rebind(userKey: string, isOld: (ver: string) => boolean, ver: string): void {
    for (const fam of this.#ofUser.get(userKey) ?? []) {
      const family = this.#families.get(fam)
      if (family === undefined) continue
      if (family.upgradedVer !== null && isOld(family.upgradedVer)) family.ver = family.upgradedVer
      if (isOld(family.ver)) family.upgradedVer = ver
    }
  }

  #find(token: FamilyToken): Family | null {
    const { fam } = token
    const userKey = userKeyOf(token.chk, token.sub)
    const disconnectedAt = this.#disconnectedAt.get(userKey)
    if (this.#dead.has(fam)) return null
    if (disconnectedAt !== undefined && token.iat * 1000 <= disconnectedAt) return null
    if (!this.#families.has(fam)) this.begin(token)
    const family = this.#families.get(fam)
    if (family?.userKey !== userKey) return null
    this.#touch(fam, family)
    return family
  }

  #confirm(family: Family, jti: string): void {
    family.confirmed = jti
    family.pending = null
  }

  #touch(fam: string, family: Family): void {
    family.untilMs = this.#until()
    this.#families.delete(fam)
    this.#families.set(fam, family)
  }

  #until(): number {
    return this.#now() + this.#keepMs
  }

  /** All three are in the order of their times, so that what is over comes first. */
  #forgetExpired(): void {
    const now = this.#now()
    for (const [fam, { untilMs }] of this.#families) {
      if (untilMs >= now && this.#families.size < MAX_FAMILIES) break
      this.#remove(fam)
    }
    for (const [fam, untilMs] of this.#dead) {
      if (untilMs >= now && this.#dead.size < MAX_FAMILIES) break
      this.#dead.delete(fam)
    }
    for (const [userKey, atMs] of this.#disconnectedAt) {
      if (atMs + this.#keepMs >= now && this.#disconnectedAt.size < MAX_FAMILIES) break
      this.#disconnectedAt.delete(userKey)
    }
  }

  #remove(fam: string): void {
    const family = this.#families.get(fam)
    if (family === undefined) return
    this.#families.delete(fam)
    const fams = this.#ofUser.get(family.userKey)
    fams?.delete(fam)
    if (fams?.size === 0) this.#ofUser.delete(family.userKey)
  }
}
