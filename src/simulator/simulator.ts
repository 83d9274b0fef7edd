/** A strict stand-in of the ServerPilot API over real HTTP, with faults on demand. Documented in docs/simulator.md. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { unmapped } from '../domain/network.ts'
import { refusal } from './api.ts'
import { control } from './control.ts'
import { createCore } from './core.ts'
import { readBody, send } from './http.ts'
import { startNameserver } from './nameserver.ts'
import type { SimulatorOptions } from './options.ts'
import { type Service, serve } from './serve.ts'
import { plainReply } from './spoil.ts'

/** A simulator that runs. */
export type Simulator = Awaited<ReturnType<typeof startSimulator>>

/**
 * Starts a simulator; resolves once it listens. Rejects with an Error for a port that is taken, a state file that is not one,
 * or options that contradict each other.
 */
export async function startSimulator(options: SimulatorOptions = {}) {
  const timers = new Set<NodeJS.Timeout>()
  const core = createCore(options, (ms) => wait(ms, timers))
  const { service, account, faults, calls, apps } = core
  const { model } = core.world
  const host = options.listen?.host ?? '127.0.0.1'
  const server = createServer((request, response) => {
    const job: Promise<unknown> = request.url?.startsWith('/_control')
      ? control({ account, faults, calls, enabled: controlled }, request).then((given) =>
          send(response, plainReply(given)),
        )
      : serveOver(service, request, response)
    job.catch((error: unknown) => {
      if (response.headersSent || response.destroyed) return
      send(response, plainReply(refusal(500, `The simulator failed: ${String(error)}`)))
    })
  })
  // Longer than any client keeps an idle connection: a reset should come from a fault only.
  server.keepAliveTimeout = 600_000
  server.listen(options.listen?.port ?? 0, host)
  await once(server, 'listening')
  const { address, port } = server.address() as AddressInfo
  const controlled = options.control ?? /^(127\.|::1$)/.test(unmapped(address))
  const withoutDns = (error: unknown): never => {
    server.close()
    throw error
  }
  const { dnsPort } = options
  const nameserver =
    dnsPort === undefined ? undefined : await startNameserver(core.world, host, dnsPort).catch(withoutDns)
  const origin = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  return {
    /** Base URL of the API, `http://HOST:PORT/v1`. */
    url: `${origin}/v1`,
    /** Base URL of the control API, `http://HOST:PORT/_control`. */
    controlUrl: `${origin}/_control`,
    /** Whether that answers. */
    controlled,
    /** `HOST:PORT` of its DNS server; undefined without `dnsPort`. */
    nameserver: nameserver?.address,
    clientId: model.clientId,
    /** The key at the start; `state.rotateKey` changes what is accepted. */
    apiKey: model.apiKey,
    /** Ids of the apps at the start. */
    apps,
    /** The account from inside the process. */
    state: account,
    faults,
    /** The calls so far, oldest first; a new array each time. */
    get calls() {
      return calls.list()
    },
    /** Forgets calls and counts. */
    clearCalls: calls.clear,
    /** Calls by endpoint. */
    counts: calls.counts,
    /** Answers and effects that faults hold back now. */
    pending: () => timers.size,
    /** Stops listening and cuts every connection, also those that a fault holds. Safe to call twice. */
    async stop(): Promise<void> {
      for (const timer of timers) clearTimeout(timer)
      timers.clear()
      if (!server.listening) return
      server.close()
      server.closeAllConnections()
      await Promise.all([once(server, 'close'), nameserver?.stop()])
    },
  }
}

/** Serves one request over HTTP. Rejects only for a request that breaks off. */
async function serveOver(service: Service, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = 'GET', url = '/', headers } = request
  const read = await readBody(request)
  const { authorization, 'content-type': contentType = '' } = headers
  send(response, await serve(service, { method, url, authorization, contentType, read }))
}

function wait(ms: number, timers: Set<NodeJS.Timeout>): Promise<void> {
  if (ms <= 0) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      timers.delete(timer)
      resolve()
    }, ms)
    timers.add(timer)
  })
}
