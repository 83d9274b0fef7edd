/** A strict stand-in of the ServerPilot API over real HTTP, with faults on demand. Documented in docs/simulator.md. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { addApp, createAccount } from './account.ts'
import { createCallLog } from './calls.ts'
import { control } from './control.ts'
import { createFaults } from './faults.ts'
import { sendAnswer } from './http.ts'
import { createAuthority } from './issuance.ts'
import { startNameserver } from './nameserver.ts'
import { defaultBehaviours, defaultIssuance, type SimulatorOptions } from './options.ts'
import { loadModel, saveModel } from './persistence.ts'
import { type Service, serve } from './serve.ts'
import { createModel, type World } from './state.ts'

/** A simulator that runs. */
export type Simulator = Awaited<ReturnType<typeof startSimulator>>

/**
 * Starts a simulator; resolves once it listens. Rejects with an Error for a port that is taken, a state file that is not one,
 * or options that contradict each other.
 */
export async function startSimulator(options: SimulatorOptions = {}) {
  const realNow = options.now ?? Date.now
  const { stateFile } = options
  const stored = stateFile === undefined ? undefined : loadModel(stateFile)
  const model = stored ?? createModel(options, realNow())
  if (options.clientId !== undefined) model.clientId = options.clientId
  if (options.apiKey !== undefined) model.apiKey = options.apiKey
  const world: World = {
    model,
    behaviours: { ...defaultBehaviours, ...options.behaviours },
    issuance: { ...defaultIssuance, ...options.issuance },
    actionDuration: options.actionDuration ?? 100,
    authority: createAuthority(realNow()),
    now: () => realNow() + model.clockOffset,
    dirty: !stored,
  }
  const save = () => {
    if (stateFile !== undefined && world.dirty) saveModel(stateFile, model)
    world.dirty = false
  }
  const seeds = options.apps ?? [{ name: 'network', domains: ['network.example'] }]
  if (!stored) for (const seed of seeds) addApp(world, seed)
  const apps = [...model.apps.keys()]
  save()

  const timers = new Set<NodeJS.Timeout>()
  const calls = createCallLog(options.maxCalls ?? 10_000)
  const faults = createFaults(options.random ?? Math.random)
  const service: Service = {
    world,
    faults,
    calls,
    latency: options.latency ?? 0,
    wait: (ms) => wait(ms, timers),
    save,
    withinLimit: rateLimiter(world),
    log: options.log ?? (() => {}),
  }
  const account = createAccount(world, save)
  const host = options.listen?.host ?? '127.0.0.1'
  const controlled = options.control ?? /^(127\.|localhost$|::1$)/.test(host)
  const server = createServer((request, response) => {
    const job: Promise<unknown> = request.url?.startsWith('/_control')
      ? control({ account, faults, calls, enabled: controlled }, request).then((given) => sendAnswer(response, given))
      : serve(service, request, response)
    job.catch((error: unknown) => {
      if (response.headersSent || response.destroyed) return
      sendAnswer(response, { status: 500, body: { error: { message: `The simulator failed: ${String(error)}` } } })
    })
  })
  // Longer than any client keeps an idle connection: a reset should come from a fault only.
  server.keepAliveTimeout = 600_000
  server.listen(options.listen?.port ?? 0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const withoutDns = (error: unknown): never => {
    server.close()
    throw error
  }
  const { dnsPort } = options
  const nameserver = dnsPort === undefined ? undefined : await startNameserver(world, host, dnsPort).catch(withoutDns)
  const origin = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  return {
    /** Base URL of the API, `http://HOST:PORT/v1`. */
    url: `${origin}/v1`,
    /** Base URL of the control API, `http://HOST:PORT/_control`. */
    controlUrl: `${origin}/_control`,
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

function rateLimiter(world: World): () => boolean {
  let times: number[] = []
  return () => {
    const limit = world.behaviours.rateLimit
    if (!limit) return true
    const now = world.now()
    times = times.filter((time) => time > now - limit.per)
    if (times.length >= limit.requests) return false
    times.push(now)
    return true
  }
}
