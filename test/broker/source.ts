/** Numbers without an end, or texts; counts what was asked of it and whether it was put away. */
export class Source {
  produced = 0
  cleanups = 0
  readonly #item: unknown

  constructor(item?: unknown) {
    this.#item = item
  }

  async *[Symbol.asyncIterator](): AsyncGenerator {
    try {
      for (;;) yield this.#item ?? this.produced++
    } finally {
      this.cleanups += 1
    }
  }
}
