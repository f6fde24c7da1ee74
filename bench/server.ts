/** The server's process: all contenders, each on a port of its own. Ends with the process that started it. */
import { listContenders } from './contenders/index.js'

process.on('disconnect', () => process.exit(0))

const contenders = await listContenders(process.argv[2] ?? null)
const ports: Record<string, number> = {}
for (const contender of contenders) ports[contender.name] = await contender.serve()
process.send?.(ports)
