// Runs a page's module in Node, with as much of a browser as the manual's pages use: an address, WebSocket, confirm.
//
//   node run-page.mjs <file> <address>
import { pathToFileURL } from 'node:url'
import { WebSocket } from 'ws'

const [, , file, href] = process.argv
Object.assign(globalThis, { location: { href }, confirm: () => true })
globalThis.WebSocket ??= WebSocket // Node has one from 22 on
await import(pathToFileURL(file).href)
process.exit()
