import { DatabaseUnavailableError } from './errors.js'

/**
 * What a promise of the database answers within `ms`: a server that accepts and says nothing is waited for for ever.
 * @throws DatabaseUnavailableError `PB_ERR_DB_UNAVAILABLE`: `ETIMEDOUT`
 */
export async function inTime<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new DatabaseUnavailableError({ code: 'ETIMEDOUT' }))
    }, ms)
  })
  try {
    return await Promise.race([promise, silence])
  } finally {
    clearTimeout(timer)
  }
}
