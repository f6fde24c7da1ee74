/** A queue in which sources take turns: who asks for much delays nobody but itself. */
export class TurnQueue<T> {
  /** The source whose turn is next comes first; none is empty. */
  readonly #bySource = new Map<string, Set<T>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  add(source: string, item: T): void {
    const items = this.#bySource.get(source)
    if (items === undefined) this.#bySource.set(source, new Set([item]))
    else items.add(item)
    this.#size += 1
  }

  delete(source: string, item: T): void {
    const items = this.#bySource.get(source)
    if (items?.delete(item) !== true) return
    this.#size -= 1
    if (items.size === 0) this.#bySource.delete(source)
  }

  /** Takes the oldest item of the source whose turn it is; null where there is none. */
  take(): T | null {
    for (const [source, items] of this.#bySource) {
      for (const item of items) {
        this.delete(source, item)
        if (this.#bySource.delete(source)) this.#bySource.set(source, items)
        return item
      }
    }
    return null
  }

  /** Takes the newest item of the source that has most, to make room for one of `source`; null where that has as much itself. */
  displace(source: string): T | null {
    let [longest, most] = ['', (this.#bySource.get(source)?.size ?? 0) + 1]
    for (const [other, { size }] of this.#bySource) if (size > most) [longest, most] = [other, size]
    const newest = [...(this.#bySource.get(longest) ?? [])].at(-1)
    if (longest === '' || newest === undefined) return null
    this.delete(longest, newest)
    return newest
  }
}
