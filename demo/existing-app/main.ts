/**
 * Starts the app: `DATABASE_URL=postgres://… TICKET_SECRET=… npx tsx demo/existing-app/main.ts`, where the database is a
 * Django project's and the secret at least 32 bytes of your own.
 */
import { Pool } from 'pg'
import { buildApp } from './app.js'

const { DATABASE_URL, TICKET_SECRET = '', PORT = '3000' } = process.env
const pool = new Pool({ connectionString: DATABASE_URL })
const origin = `http://localhost:${PORT}`
const app = await buildApp({ level: 'info' }, { pool, ticketSecret: TICKET_SECRET, origin })
app.addHook('onClose', () => pool.end())
await app.listen({ port: Number(PORT), host: 'localhost' })
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void app.close())
