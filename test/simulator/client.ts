/** A bare client of the simulator over real HTTP, for its tests. */
import type { TestContext } from 'node:test'
import type { SimulatorOptions } from '../../src/simulator/options.ts'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'

/** An app as the wire has it; every field that tests look at. */
export interface WireApp {
  id: string
  name: string
  domains: string[]
  ssl: { key: string | null; cert: string | null; cacerts: string | null; auto: boolean; force: boolean } | null
  serverid: string
  runtime: string
  autossl?: { available: boolean; domains?: string[] }
}

/** A decoded answer. */
export interface Reply {
  status: number
  headers: Headers
  body: { data?: unknown; actionid?: string; error?: { message: string } }
}

/** One simulator with one app, and calls to it. The test's end stops it. */
export interface Bench {
  simulator: Simulator
  appId: string
  call(method: string, path: string, body?: unknown, init?: RequestInit): Promise<Reply>
  app(): Promise<WireApp>
  write(domains: unknown): Promise<Reply>
  ssl(body: unknown): Promise<Reply>
  control(method: string, path: string, body?: unknown): Promise<{ status: number; body: Record<string, unknown> }>
}

/** Starts a simulator on a free port. */
export async function bench(t: TestContext, options: SimulatorOptions = {}): Promise<Bench> {
  const simulator = await startSimulator(options)
  t.after(() => simulator.stop())
  const appId = simulator.apps[0]!
  const headers = {
    authorization: `Basic ${btoa(`${simulator.clientId}:${simulator.apiKey}`)}`,
    'content-type': 'application/json',
  }
  const call: Bench['call'] = async (method, path, body, init) => {
    const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }
    const response = await fetch(simulator.url + path, { method, headers, redirect: 'manual', ...sent, ...init })
    return { status: response.status, headers: response.headers, body: (await response.json()) as Reply['body'] }
  }
  return {
    simulator,
    appId,
    call,
    app: async () => (await call('GET', `/apps/${appId}`)).body.data as WireApp,
    write: (domains) => call('POST', `/apps/${appId}`, { domains }),
    ssl: (body) => call('POST', `/apps/${appId}/ssl`, body),
    async control(method, path, body) {
      const sent = body === undefined ? {} : { body: JSON.stringify(body) }
      const response = await fetch(`${simulator.controlUrl}/${path}`, { method, ...sent })
      return { status: response.status, body: (await response.json()) as Record<string, unknown> }
    },
  }
}

/** Message of an error answer. */
export function messageOf(reply: Reply): string {
  return reply.body.error?.message ?? ''
}
