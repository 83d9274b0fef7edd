import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Life } from '../life.ts'
import type { ServerPilotModel } from '../serverpilot.ts'

/** Longer than any client waits. */
const SILENCE_MS = 600_000

/** Where one process reaches ServerPilot. */
export interface Door {
  url: string
  close(): void
}

/** A ServerPilot as one process reaches it over HTTP on loopback. Closes when the process ends. */
export async function openDoor(serverpilot: ServerPilotModel, life: Life): Promise<Door> {
  const http = serverpilot.connect(life)({
    clock: life.clock,
    timeoutMs: SILENCE_MS,
    connectTimeoutMs: SILENCE_MS,
    proxy: undefined,
    userAgent: '',
  })

  async function pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const gone = new AbortController()
    outgoing.once('close', () => gone.abort(new Error('the caller is gone')))
    const body = await text(incoming)
    const { method = 'GET', url = '/', headers } = incoming
    const answer = await http({
      method: method === 'POST' ? method : 'GET',
      url: new URL(url, 'http://serverpilot'),
      authorization: headers.authorization ?? '',
      body: body === '' ? undefined : body,
      maxBytes: Number.POSITIVE_INFINITY,
      signal: gone.signal,
    })
    if (answer.kind === 'failure') return void outgoing.destroy()
    const { status, text: said, location, retryAfter } = answer
    outgoing.writeHead(status, {
      'content-type': 'application/json',
      ...(location && { location }),
      ...(retryAfter && { 'retry-after': retryAfter }),
    })
    outgoing.end(said)
  }

  const server = createServer((incoming, outgoing) => {
    pass(incoming, outgoing).catch(() => outgoing.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
