import * as room from 'fastify-perspective/broker'
import { pathToFileURL } from 'node:url'
import type { Contender } from '../contender.js'
import { birpc } from './birpc.js'
import { capnweb } from './capnweb.js'
import { handWritten } from './hand-written.js'
import { perspective } from './perspective.js'
import { socketIo } from './socket-io.js'
import { trpc } from './trpc.js'

export const OURS = 'fastify-perspective'
export const BASELINE = 'baseline'

/** All contenders; `baseline` is the `dist/broker/index.js` of another build of ours, to compare with. */
export async function listContenders(baseline: string | null): Promise<Contender[]> {
  const all = [perspective(OURS, room), handWritten, capnweb, socketIo, birpc, trpc]
  if (baseline !== null) {
    const other = (await import(pathToFileURL(baseline).href)) as typeof room
    all.push(perspective(BASELINE, other))
  }
  return all
}
