/** A strict stand-in of the ServerPilot API over real HTTP, with faults on demand. Documented in docs/simulator.md. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Account, createAccount } from './account.ts'
import { plantCertificate } from './autossl.ts'
import { type CallCounts, type CallRecord, createCallLog } from './calls.ts'
import { control } from './control.ts'
import { createFaults, type Faults } from './faults.ts'
import { sendAnswer } from './http.ts'
import { createAuthority } from './issuance.ts'
import { type Nameserver, startNameserver } from './nameserver.ts'
import { defaultBehaviours, defaultIssuance, type SimulatorOptions } from './options.ts'
import { loadModel, saveModel } from './persistence.ts'
import { type Service, serve } from './serve.ts'
import { createModel, type World } from './state.ts'

/** A simulator that runs. */
export interface Simulator {
  /** Base URL of the API, `http://HOST:PORT/v1`. */
  url: string
  /** Base URL of the control API, `http://HOST:PORT/_control`. */
  controlUrl: string
  /** `HOST:PORT` of its DNS server; undefined without `dnsPort`. */
  nameserver: string | undefined
  clientId: string
  /** The key at the start; `state.rotateKey` changes what is accepted. */
  apiKey: string
  /** Ids of the apps at the start. */
  apps: string[]
  /** The account from inside the process. */
  state: Account
  faults: Pick<Faults, 'add' | 'clear' | 'list'>
  /** The calls so far, oldest first; a new array each time. */
  readonly calls: CallRecord[]
  /** Forgets calls and counts. */
  clearCalls(): void
  /** Calls by endpoint. */
  counts(): CallCounts
  /** Answers and effects that faults hold back now. */
  pending(): number
  /** Stops listening and cuts every connection, also those that a fault holds. Safe to call twice. */
  stop(): Promise<void>
}

/**
 * Starts a simulator; resolves once it listens. Rejects with an Error for a port that is taken, a state file that is not one,
 * or options that contradict each other.
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
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
  const seeds = options.apps ?? []
  const ids = [...model.apps.keys()]
  // Seeds and apps stand in the same order: `createModel` goes through them one by one.
  if (!stored)
    seeds.forEach((seed, n) => void (seed.ssl && plantCertificate(world, model.apps.get(ids[n]!)!, seed.ssl)))
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
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.listen?.port ?? 0, host, resolve)
  })
  const { port } = server.address() as AddressInfo
  let nameserver: Nameserver | undefined
  try {
    if (options.dnsPort !== undefined) nameserver = await startNameserver(world, host, options.dnsPort)
  } catch (error) {
    server.close()
    throw error
  }
  const origin = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  return {
    url: `${origin}/v1`,
    controlUrl: `${origin}/_control`,
    nameserver: nameserver?.address,
    clientId: model.clientId,
    apiKey: model.apiKey,
    apps: ids,
    state: account,
    faults,
    get calls() {
      return calls.list()
    },
    clearCalls: calls.clear,
    counts: calls.counts,
    pending: () => timers.size,
    async stop() {
      for (const timer of timers) clearTimeout(timer)
      timers.clear()
      if (!server.listening) return
      await Promise.all([
        nameserver?.stop(),
        new Promise<void>((resolve) => {
          server.close(() => resolve())
          server.closeAllConnections()
        }),
      ])
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
