import { createHandle } from '../broker/handle.js'
import type { Broker, Remote } from '../broker/index.js'
import { ConnectionLostError } from '../broker/index.js'
import { CallPromise, type Pipeline } from '../broker/remote-promise.js'
import { type HandleOwner, RemoteRecord, recordOf } from '../broker/remote-record.js'

/** What is called on the result of a call that could not be made fails as it did. */
const nowhere: Pipeline = { callOnResult: (promise) => promise }

/** The handle of the avatar that there is now: one that every new connection of the session follows. */
export class LastingPerspective<P extends object> {
  readonly handle: Remote<P>
  #root!: RemoteRecord

  /** `isBetween`: there is no connection, and another one may come. */
  constructor(isBetween: () => boolean) {
    const current = (): RemoteRecord => this.#root
    const owner: HandleOwner = {
      get current() {
        return current().owner
      },
      call: (_record, quotedMethod, args, pin, options) => {
        const root = this.#root
        if (!root.isDead || !isBetween())
          return root.owner.call(root, quotedMethod, args, pin, options)
        const call = new CallPromise(nowhere, 0, 0, 0, null)
        CallPromise.fail(call, new ConnectionLostError('there is no connection now', 'not-sent'))
        return call
      },
      tell: (_record, quotedMethod, args, json) => {
        this.#root.owner.tell(this.#root, quotedMethod, args, json)
      },
      release: () => undefined,
      report: (error, method) => {
        this.#root.owner.report(error, method)
      },
      onDisconnect: (listener) => this.#root.owner.onDisconnect(listener),
    }
    this.handle = createHandle(new RemoteRecord(owner, 0, false)) as Remote<P>
  }

  /** Stands for the root of another connection from now on; where that one sends its root, this handle arrives. */
  follow(broker: Broker<P>): void {
    this.#root = recordOf(broker.root) as RemoteRecord
    this.#root.setHandle(this.handle)
  }
}
