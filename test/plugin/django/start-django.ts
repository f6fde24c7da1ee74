import { after } from 'node:test'
import pg from 'pg'
import { loadDjango, startPostgres } from '../../../tools/postgres/start.js'

/** Starts a PostgreSQL with Django's tables and the accounts of real Django; it stops after the file's tests. */
export async function startDjango(): Promise<{ url: string; pool: pg.Pool }> {
  const postgres = await startPostgres()
  const pool = new pg.Pool({ connectionString: postgres.url })
  after(async () => {
    await pool.end()
    await postgres.stop()
  })
  await loadDjango(postgres.url)
  return { url: postgres.url, pool }
}
