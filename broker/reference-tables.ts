/**
 * The two tables of one connection: what of ours the peer may call, and what of the peer's we hold. Each side counts
 * every introduction; a release carries the holder's count, so one that crosses a re-send leaves the id alive.
 */
import { hintCollection } from './collection-hint.js'
import { CallError, ConnectionLostError, DeadReferenceError, ProtocolError } from './errors.js'
import type { Exchange } from './exchange.js'
import { exposureOf, isReferenceable } from './exposure.js'
import { createHandle } from './handle.js'
import { MirrorHandle, isCacheable } from './mirrors.js'
import { type HandleOwner, RemoteRecord, collected, recordOf } from './remote-record.js'
import { RELEASE, ROOT_ID, TAG_FUNCTION, TAG_HOME, TAG_MIRROR, TAG_OBJECT } from './wire.js'

/** An object or function of ours that the peer holds. */
export interface ExportEntry {
  readonly id: number
  readonly object: object
  /** Introductions the peer has not released yet. */
  count: number
}

/** As many references may be held before it is worth looking for dead ones, and again after as many more. */
const HINT_FROM = 4096
const HINT_STEP = 1024

export class ReferenceTables {
  readonly #owner: HandleOwner
  readonly #exchange: Exchange
  // Null until needed: on an idle connection empty Maps would be most of its memory.
  #exports: Map<number, ExportEntry> | null = null
  #exported: Map<object, ExportEntry> | null = null
  #imports: Map<number, RemoteRecord> | null = null
  #lastExportId = ROOT_ID
  #hintAt = HINT_FROM
  #isClosed = false

  constructor(owner: HandleOwner, exchange: Exchange) {
    this.#owner = owner
    this.#exchange = exchange
  }

  /** Objects of ours that the peer holds, the root not counted. */
  get exportCount(): number {
    return this.#exports?.size ?? 0
  }

  /** Objects of the peer's that we hold, the root not counted. */
  get importCount(): number {
    return this.#imports?.size ?? 0
  }

  /** The object of ours that the peer means by an id, or null where it holds none such. */
  exportedObject(id: number): object | null {
    return id === ROOT_ID ? this.#exchange.root : (this.#exports?.get(id)?.object ?? null)
  }

  /**
   * Introduces an object or function to the peer, counting one.
   *
   * @param introduced - Collects what {@link takeBack} needs if the message is not sent after all.
   * @throws TypeError - the object's class has no `remote`, or one that does not fit it.
   * @returns The tagged value, or null where it is nothing that crosses by reference.
   */
  introduce(value: object, introduced: ExportEntry[]): [tag: string, id: number] | null {
    const record = recordOf(value)
    if (record !== null && (record.owner.current ?? record.owner) === this.#owner) {
      if (record.isDead)
        throw new DeadReferenceError(`${record.describe()} was released and cannot be sent`)
      return [TAG_HOME, record.id]
    }
    const isFunction = typeof value === 'function'
    const isMirrored = !isFunction && isCacheable(value)
    // A handle of another connection is exported as ours: calls on it are forwarded. A mirror has none.
    if (
      record === null
        ? !isFunction && !isMirrored && !isReferenceable(value)
        : value instanceof MirrorHandle
    ) {
      return null
    }
    let entry = this.#exported?.get(value)
    if (entry === undefined) {
      // Lent before it became the root, it keeps that id: the peer has a handle for it.
      if (value === this.#exchange.root) return [TAG_OBJECT, ROOT_ID]
      entry = this.#export(value, record === null && !isFunction && !isMirrored)
    }
    entry.count += 1
    introduced.push(entry)
    return [isMirrored ? TAG_MIRROR : isFunction ? TAG_FUNCTION : TAG_OBJECT, entry.id]
  }

  #export(object: object, hasTable: boolean): ExportEntry {
    // A wrong table is heard of by who sends the object, not by who calls it.
    if (hasTable) exposureOf(object)
    // A getter of the value that is being written may have closed the connection.
    if (this.#isClosed) throw new ConnectionLostError('the connection has ended', 'not-sent')
    this.#exports ??= new Map()
    this.#exported ??= new Map()
    const { maxReferences } = this.#exchange.limits
    if (this.#exports.size >= maxReferences) {
      throw new CallError(
        'PB_ERR_LIMIT_REFERENCES',
        `the other side holds ${maxReferences} references (limits.maxReferences) and cannot get another`,
      )
    }
    const entry = { id: ++this.#lastExportId, object, count: 0 }
    this.#exports.set(entry.id, entry)
    this.#exported.set(object, entry)
    return entry
  }

  /** Undoes the introductions of a message that was not sent. */
  takeBack(introduced: readonly ExportEntry[]): void {
    for (const entry of introduced) this.#decrease(entry, 1)
  }

  /** The peer lets go. A wrong id or count is a lie of the peer, never an error of ours. */
  releasedByPeer(id: unknown, count: unknown): void {
    const entry = this.#exports?.get(id as number)
    if (
      entry === undefined ||
      !Number.isSafeInteger(count) ||
      (count as number) < 1 ||
      (count as number) > entry.count
    ) {
      throw new ProtocolError('a release of what was not given')
    }
    this.#decrease(entry, count as number)
  }

  #decrease(entry: ExportEntry, count: number): void {
    entry.count -= count
    if (entry.count > 0) return
    this.#exports?.delete(entry.id)
    this.#exported?.delete(entry.object)
    this.#exchange.mirrors.hide(entry.id)
  }

  /**
   * The handle for an object or function of the peer, the same one as long as somebody holds it; counts one.
   *
   * @throws CallError `PB_ERR_LIMIT_REFERENCES` - the peer has it back.
   */
  receive(id: number, isFunction: boolean): object {
    const record = this.#receiveRecord(id, isFunction)
    if (record.isFunction !== isFunction || this.#exchange.mirrors.holds(id)) throw turned()
    return record.liveHandle() ?? createHandle(record)
  }

  /** The same for an object of the peer whose state is mirrored. */
  receiveMirror(id: number, value: unknown): object {
    const record = this.#receiveRecord(id, false)
    const { mirrors } = this.#exchange
    if (record.count > 1 && !mirrors.holds(id)) throw turned()
    const live = record.liveHandle()
    if (live !== null) return live
    const mirror = new MirrorHandle(record, mirrors.receive(id, value))
    record.setHandle(mirror)
    collected.register(mirror, record)
    return mirror
  }

  /** Undoes one introduction of the peer's: its message was refused. */
  giveBack(record: RemoteRecord): void {
    if (record.count === 1) this.release(record)
    else if (record.count > 1) {
      record.count -= 1
      this.#sayRelease(record.id, 1)
    }
  }

  #receiveRecord(id: number, isFunction: boolean): RemoteRecord {
    if (id === ROOT_ID) return this.#exchange.peerRoot
    this.#imports ??= new Map()
    let record = this.#imports.get(id)
    if (record === undefined) {
      const { maxReferences } = this.#exchange.limits
      if (this.#imports.size >= maxReferences) {
        this.#sayRelease(id, 1)
        throw new CallError(
          'PB_ERR_LIMIT_REFERENCES',
          `${maxReferences} references are held (limits.maxReferences) and no other is accepted`,
        )
      }
      record = new RemoteRecord(this.#owner, id, isFunction)
      this.#imports.set(id, record)
      if (this.#imports.size >= this.#hintAt) {
        this.#hintAt += HINT_STEP
        hintCollection()
      }
    }
    record.count += 1
    return record
  }

  /** Lets go of an object of the peer: its handle was disposed of or collected. */
  release(record: RemoteRecord): void {
    record.isDead = true
    if (this.#imports?.get(record.id) !== record) return
    this.#imports.delete(record.id)
    this.#hintAt = Math.max(HINT_FROM, Math.min(this.#hintAt, this.#imports.size + HINT_STEP))
    this.#exchange.mirrors.forget(record.id)
    this.#sayRelease(record.id, record.count)
  }

  #sayRelease(id: number, count: number): void {
    this.#exchange.outbox.say(`[${RELEASE},${id},${count}]`)
  }

  /** Forgets everything: the connection has ended. */
  clear(): void {
    this.#isClosed = true
    if (this.#imports !== null) for (const record of this.#imports.values()) record.isDead = true
    this.#imports = null
    this.#exports = null
    this.#exported = null
  }
}

function turned(): ProtocolError {
  return new ProtocolError('a reference that was of another kind before')
}
