import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../time/clock.ts'

/** Times of Node's own server, ms: for the head of a request, for a whole one, between two, and how often it looks. */
export const TIME_LIMITS = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
} as const

/** A reader who takes longer for an answer is cut off: else it would be kept for ever. ms. */
const LONGEST_ANSWER = 60_000

/**
 * Bounds what readers cost: so many connections at a time, one answer at a time on each, and no answer for longer than a minute. Where
 * there are too many, the oldest makes room, so that nobody keeps others out by doing nothing. A request whose socket is destroyed when it
 * is handled needs no answer.
 */
export function boundConnections(server: Server, most: number, clock: Pick<Clock, 'after'>): void {
  const connections = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
    if (connections.size <= most) return
    for (const oldest of connections) {
      // Its close is told later.
      connections.delete(oldest)
      oldest.destroy()
      break
    }
  })
  const answering = new WeakSet<Socket>()
  server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    // Who asks again without having taken the answer could ask for thousands in one breath.
    if (answering.has(socket)) return void socket.destroy()
    answering.add(socket)
    const cancel = clock.after(LONGEST_ANSWER, () => socket.destroy(), { idle: true })
    response.once('close', () => {
      answering.delete(socket)
      cancel()
    })
  })
}
