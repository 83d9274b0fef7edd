/** Bodies in, answers out. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Answer } from './api.ts'

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

/** Sends an answer as JSON; gives its status. */
export function sendAnswer(response: ServerResponse, { status, body, headers }: Answer): number {
  return sendText(response, status, JSON.stringify(body), headers)
}

/** Sends a text as it is, as JSON when `headers` name no other type; gives its status. */
export function sendText(response: ServerResponse, status: number, text: string, headers?: Answer['headers']): number {
  const length = Buffer.byteLength(text)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': length, ...headers })
  response.end(text)
  return status
}
