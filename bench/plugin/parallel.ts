/** Does something `count` times, a few at once. */
export async function inParallel<T>(
  count: number,
  atOnce: number,
  work: (index: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = []
  let next = 0
  const workers = Array.from({ length: Math.min(count, atOnce) }, async () => {
    while (next < count) {
      const index = next++
      results[index] = await work(index)
    }
  })
  await Promise.all(workers)
  return results
}
