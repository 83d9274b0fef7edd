/** Bodies in, replies out. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Reply } from './spoil.ts'

const MAX_BODY = 4 * 1024 * 1024

/** Reads a body of JSON to its end (`malformed`: it is none); undefined when it is too large. Rejects when the request breaks off. */
export async function readBody(request: IncomingMessage): Promise<{ body: unknown; malformed: boolean } | undefined> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length
    if (size <= MAX_BODY) parts.push(part)
  }
  if (size > MAX_BODY) return undefined
  const text = Buffer.concat(parts).toString('utf8')
  if (text === '') return { body: undefined, malformed: false }
  try {
    return { body: JSON.parse(text) as unknown, malformed: false }
  } catch {
    return { body: undefined, malformed: true }
  }
}

/** Sends a reply, or does what stands in place of one. */
export function send(response: ServerResponse, reply: Reply): void {
  const { socket } = response.req
  // A silent socket stays open until the client or the simulator's stop ends it.
  if (reply.kind === 'silence') return
  if (reply.kind === 'reset') {
    socket.resetAndDestroy()
    return
  }
  const length = { 'content-length': Buffer.byteLength(reply.text) }
  if (reply.kind === 'text') response.writeHead(reply.status, { ...length, ...reply.headers }).end(reply.text)
  else {
    response.writeHead(reply.status, { ...length, 'content-type': 'application/json' })
    response.write(reply.sent, () => socket.destroy())
  }
}
