import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { createServerPilot } from '../../src/serverpilot/client.ts'
import type { ObservedCall, ServerPilotOptions } from '../../src/serverpilot/options.ts'
import type { ServerPilot } from '../../src/serverpilot/serverpilot.ts'
import { type FakeClock, fakeClock } from '../time/fake-clock.ts'

export const CLIENT_ID = 'cid_0123456789ab'
export const API_KEY = 'k3yCANARYk3yk3y1'
export const APP_ID = 'AAAAAAAAAAAAAAAA'
export const SERVER_ID = 'SSSSSSSSSSSSSSSS'
/** Deliberately without PEM armour: only the decoder's silence keeps it in. */
export const PRIVATE_KEY = 'PRIVATEcanaryKEY'

export const SSL = { key: PRIVATE_KEY, cert: 'CERT', cacerts: 'CHAIN', auto: true, force: false }
export const APP = {
  id: APP_ID,
  datecreated: 1403139066,
  name: 'network',
  sysuserid: 'UUUUUUUUUUUUUUUU',
  domains: ['SHOP.example.com', 'a.example.com'],
  ssl: SSL,
  serverid: SERVER_ID,
  runtime: 'php8.3',
}
export const SERVER = { id: SERVER_ID, name: 'web-1', plan: 'business', lastaddress: '192.0.2.10', lastconn: null }

export interface SeenRequest {
  method: string
  path: string
  headers: http.IncomingHttpHeaders
  body: string
}

export interface Loopback {
  url: string
  seen: SeenRequest[]
  close(): Promise<void>
}

export type Handler = (request: SeenRequest, response: http.ServerResponse, nth: number) => void

/** An HTTP server on loopback. `handler` gets each request once its body is complete, and its number from 1. */
export async function serveHttp(handler: Handler): Promise<Loopback> {
  const seen: SeenRequest[] = []
  const server = http.createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const one = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body }
    seen.push(one)
    handler(one, response, seen.length)
  })
  const { port } = await listen(server)
  return {
    url: `http://127.0.0.1:${port}/v1`,
    seen,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** A TCP server on loopback, for answers that no HTTP server would give. */
export async function serveTcp(
  handler: (socket: net.Socket) => void,
): Promise<{ port: number; sockets: Set<net.Socket>; close(): Promise<void> }> {
  const sockets = new Set<net.Socket>()
  const server = net.createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    handler(socket)
  })
  const { port } = await listen(server)
  return {
    port,
    sockets,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

export async function listen(server: net.Server): Promise<net.AddressInfo> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address
}

/** A port that nobody listens on. */
export async function closedPort(): Promise<number> {
  const server = net.createServer()
  const { port } = await listen(server)
  server.close()
  await once(server, 'close')
  return port
}

export function json(
  response: http.ServerResponse,
  status: number,
  body: unknown,
  headers: http.OutgoingHttpHeaders = {},
) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

/** A client with test credentials; short sleeps pass at once, time-outs (10 s and longer) only when the test lets them. */
export function clientOf(
  baseUrl: string,
  options: Partial<ServerPilotOptions> = {},
): { pilot: ServerPilot; clock: FakeClock; observed: ObservedCall[] } {
  const clock = fakeClock({ instantBelow: 9_999 })
  const observed: ObservedCall[] = []
  const pilot = createServerPilot({
    baseUrl,
    credentials: { clientId: CLIENT_ID, apiKey: API_KEY },
    credentialsOrigin: 'Secret wordpress/serverpilot',
    clock,
    version: '1.2.3',
    random: () => 0.5,
    observe: (call) => observed.push(call),
    ...options,
  })
  return { pilot, clock, observed }
}

/** What asks the API something. */
export type Call = Exclude<keyof ServerPilot, 'account' | 'leaveToWrite' | 'exclusively'>

/** Each call of the interface, by name. */
export const CALLS: Record<
  Call,
  { write: boolean; run: (pilot: ServerPilot, signal?: AbortSignal) => Promise<unknown> }
> = {
  listApps: { write: false, run: (pilot, signal) => pilot.listApps(signal) },
  getApp: { write: false, run: (pilot, signal) => pilot.getApp(APP_ID, signal) },
  getServer: { write: false, run: (pilot, signal) => pilot.getServer(SERVER_ID, signal) },
  writeDomains: { write: true, run: (pilot, signal) => pilot.writeDomains(APP_ID, ['a.example.com'], signal) },
  changeSsl: { write: true, run: (pilot, signal) => pilot.changeSsl(APP_ID, { auto: true }, signal) },
}

/** A server for one test. */
export async function withServer<T>(
  handler: Handler,
  test: (server: Awaited<ReturnType<typeof serveHttp>>) => Promise<T>,
) {
  const server = await serveHttp(handler)
  try {
    return await test(server)
  } finally {
    await server.close()
  }
}
