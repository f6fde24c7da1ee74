/**
 * What one would write in an afternoon: a JSON frame for each call and each answer, a Map of what waits; bytes in a frame
 * behind their call's number. The measure of what a library may cost, not a proposal.
 */
import type { WebSocket } from 'ws'
import type { Contender, DriveOrder, Echo } from '../contender.js'
import { drive } from '../load.js'
import { openSocket, serveSockets } from './socket-server.js'

type Method = (argument: never) => unknown
type Message =
  | { readonly id: number; readonly method: string; readonly argument: never }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string }

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/** A binary frame is a call of `echo`, or, with the number's complement, its answer. */
const HEAD_BYTES = 4

function binaryFrame(number: number, bytes: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEAD_BYTES + bytes.byteLength)
  frame.writeInt32LE(number)
  frame.set(bytes, HEAD_BYTES)
  return frame
}

type Call = (method: string, argument: unknown) => Promise<unknown>

function converse(socket: WebSocket, methods: Record<string, Method>): Call {
  const waiting = new Map<number, Waiting>()
  let lastId = 0
  const answer = async (id: number, method: string, argument: never): Promise<void> => {
    try {
      const value = methods[method]?.(argument)
      const result = value instanceof Promise ? ((await value) as unknown) : value
      socket.send(JSON.stringify({ id, result }))
    } catch (error) {
      socket.send(JSON.stringify({ id, error: String(error) }))
    }
  }
  const settleBytes = (frame: Buffer): void => {
    const number = frame.readInt32LE()
    const bytes = new Uint8Array(
      frame.buffer,
      frame.byteOffset + HEAD_BYTES,
      frame.length - HEAD_BYTES,
    )
    if (number > 0) {
      socket.send(binaryFrame(~number, methods['echo']?.(bytes as never) as Uint8Array))
      return
    }
    waiting.get(~number)?.resolve(bytes)
    waiting.delete(~number)
  }
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) {
      settleBytes(data)
      return
    }
    const message = JSON.parse(data.toString()) as Message
    if ('method' in message) {
      void answer(message.id, message.method, message.argument)
      return
    }
    const call = waiting.get(message.id)
    waiting.delete(message.id)
    if ('error' in message) call?.reject(new Error(message.error))
    else call?.resolve(message.result)
  })
  socket.on('close', () => {
    for (const { reject } of waiting.values()) reject(new Error('the connection ended'))
  })
  return (method, argument) =>
    new Promise((resolve, reject) => {
      const id = ++lastId
      waiting.set(id, { resolve, reject })
      if (argument instanceof Uint8Array) socket.send(binaryFrame(id, argument))
      else socket.send(JSON.stringify({ id, method, argument }))
    })
}

const echo = (value: unknown): unknown => value

export const handWritten: Contender = {
  name: 'hand-written',
  serve: () =>
    serveSockets((socket) => {
      const back: Echo = (value) => call('echo', value)
      const call = converse(socket, { echo, drive: (order: DriveOrder) => drive(back, order) })
    }),
  connect: async (port) => {
    const socket = await openSocket(port)
    const call = converse(socket, { echo })
    return {
      echo: (value) => call('echo', value),
      drive: (order) => call('drive', order) as never,
      close: () => socket.close(),
    }
  },
}
