import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { HasherMissingError, PasswordQueueFullError, PasswordWorkerError } from './errors.js'
import type { Recipe } from './hashers/hasher.js'
import { TurnQueue } from './turn-queue.js'

/** What a thread is asked for. */
export interface Derivation {
  readonly password: string
  readonly recipe: Recipe
}

/** What it answers: the key, or the package that it would need. A thread that fails in another way ends. */
export type DerivationAnswer = { readonly durationMs: number } & (
  { readonly key: Uint8Array } | { readonly missing: string }
)

/** Who asks for a derivation. */
export interface Waiter {
  /** Gives it up while it waits; one that runs ends. */
  readonly signal?: AbortSignal | undefined
  /** Sources wait in turns; default one for all who name none. */
  readonly source?: string | undefined
}

interface Task {
  readonly derivation: Derivation
  /** Waits no more. */
  settle(): void
  resolve(key: Uint8Array): void
  reject(error: Error): void
}

/**
 * Derives keys in worker threads of its own. Not on libuv's pool: four derivations there stall every file, DNS and
 * WebCrypto operation of the process. Threads start at need and keep the process alive only while they work.
 */
export class HashPool {
  readonly #size: number
  readonly #maxWaiting: number
  readonly #waiting = new TurnQueue<Task>()
  readonly #running = new Map<Worker, Task>()
  readonly #idle: Worker[] = []
  #lastDurationMs = 0

  /** `size` threads at most; `maxWaiting` derivations beyond those that run. */
  constructor(size: number, maxWaiting: number) {
    this.#size = size
    this.#maxWaiting = maxWaiting
  }

  /**
   * Derives one key, in the order asked by one source; sources take turns.
   * @throws PasswordQueueFullError `PB_ERR_LOGIN_BUSY`: `maxWaiting` wait already, and no other source has more of them; or it
   *   is the newest of the source that had most, and another needed its place.
   * @throws PasswordWorkerError `PB_ERR_LOGIN_WORKER`: the thread ended; the next derivation gets a new one.
   * @throws HasherMissingError `PB_ERR_LOGIN_HASHER`: an optional dependency is not installed.
   * @throws `signal.reason`
   */
  async derive(derivation: Derivation, { signal, source = '' }: Waiter = {}): Promise<Uint8Array> {
    signal?.throwIfAborted()
    if (this.#running.size >= this.#size && this.#waiting.size >= this.#maxWaiting) {
      const full = new PasswordQueueFullError(this.#maxWaiting, this.#estimateWaitSeconds())
      const displaced = this.#waiting.displace(source)
      if (displaced === null) throw full
      displaced.settle()
      displaced.reject(full)
    }
    return new Promise((resolve, reject) => {
      const abandon = (): void => {
        this.#waiting.delete(source, task)
        reject(signal?.reason as Error)
      }
      const task: Task = {
        derivation,
        settle: () => signal?.removeEventListener('abort', abandon),
        resolve,
        reject,
      }
      signal?.addEventListener('abort', abandon, { once: true })
      this.#waiting.add(source, task)
      this.#startWaiting()
    })
  }

  #startWaiting(): void {
    while (this.#running.size < this.#size) {
      const task = this.#waiting.take()
      if (task === null) return
      task.settle()
      this.#run(task)
    }
  }

  #run(task: Task): void {
    let worker: Worker
    try {
      worker = this.#idle.pop() ?? this.#startWorker()
    } catch {
      task.reject(new PasswordWorkerError())
      return
    }
    this.#running.set(worker, task)
    worker.ref()
    worker.postMessage(task.derivation)
  }

  #startWorker(): Worker {
    // Without the flags of this process: a loader given to it (tsx, a debugger) is nothing to a hasher.
    const worker = new Worker(new URL('./hash-worker.js', import.meta.url), { execArgv: [] })
    worker.on('message', (answer: DerivationAnswer) => {
      const task = this.#running.get(worker)
      this.#running.delete(worker)
      this.#idle.push(worker)
      worker.unref()
      this.#lastDurationMs = answer.durationMs
      if ('key' in answer) task?.resolve(answer.key)
      else task?.reject(new HasherMissingError(answer.missing))
      this.#startWaiting()
    })
    // 'exit' follows and does what is to be done; without a listener the error would end the process.
    worker.on('error', () => undefined)
    worker.on('exit', () => {
      const task = this.#running.get(worker)
      this.#running.delete(worker)
      const index = this.#idle.indexOf(worker)
      if (index >= 0) this.#idle.splice(index, 1)
      task?.reject(new PasswordWorkerError())
      this.#startWaiting()
    })
    return worker
  }

  #estimateWaitSeconds(): number {
    const waitMs = (this.#waiting.size * this.#lastDurationMs) / this.#size
    return Math.max(1, Math.ceil(waitMs / 1000))
  }
}

/** The pool of the process: logins of every plugin instance share its threads and its queue. */
export const hashPool: HashPool = new HashPool(availableParallelism(), 32)
