import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import http, { type IncomingMessage } from 'node:http'
import https, { type RequestOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { KubeConfig } from '@kubernetes/client-node'
import { temporaryFolder } from '../e2e/process.ts'

/** A call that came to a door. Times in ms of the monotonic clock. */
export interface Passage {
  method: string
  path: string
  body: string
  from: number
  /** When its answer began; undefined while it has none. */
  to?: number
  status?: number
}

/** A call that is held: its effect has taken place, and its caller does not know yet. */
export interface Held {
  caught(): boolean
  release(): void
}

/** Stands between one daemon and what it talks to: notes every call, holds one, cuts them all. */
export interface Door {
  url: string
  /** Oldest first. */
  passages: Passage[]
  /** Holds back the answer to the next call like this. */
  hold(which: (passage: Passage) => boolean): Held
  /** Cuts every connection, those of watches too; new ones are let in. */
  cut(): void
}

/** Opens a door to `target`; `access` goes with every call to it. It is shut when the test ends. */
export async function openDoor(t: TestContext, target: string, access: RequestOptions = {}): Promise<Door> {
  const { origin, pathname, host } = new URL(target)
  const { request } = origin.startsWith('https') ? https : http
  const passages: Passage[] = []
  const holds = new Map<(passage: Passage) => boolean, { caught: boolean; open: Promise<void> }>()

  async function held(passage: Passage): Promise<void> {
    for (const [which, hold] of holds) {
      if (hold.caught || !which(passage)) continue
      hold.caught = true
      await hold.open
      holds.delete(which)
      return
    }
  }

  const server = http.createServer(async (incoming, outgoing) => {
    const { method = 'GET', url = '/', headers } = incoming
    const passage: Passage = { method, path: url, body: '', from: performance.now() }
    passages.push(passage)
    passage.body = await textOf(incoming)
    const onward = request(
      new URL(url, origin),
      { ...access, method, headers: { ...headers, host } },
      async (answer) => {
        passage.to = performance.now()
        passage.status = answer.statusCode ?? 0
        answer.on('error', () => outgoing.destroy())
        await held(passage)
        outgoing.writeHead(passage.status, answer.headers).flushHeaders()
        answer.pipe(outgoing)
      },
    )
    onward.on('error', () => outgoing.destroy())
    // Whoever leaves a watch ends it; a write goes on without its caller.
    if (method === 'GET') outgoing.on('close', () => onward.destroy())
    onward.end(passage.body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname.replace(/\/$/, '')}`,
    passages,
    hold(which) {
      const { promise: open, resolve: release } = Promise.withResolvers<void>()
      const hold = { caught: false, open }
      holds.set(which, hold)
      return { caught: () => hold.caught, release }
    },
    cut: () => server.closeAllConnections(),
  }
}

/** A door to the API server of a kubeconfig, and the kubeconfig of a daemon that goes through it. */
export async function openApiDoor(t: TestContext, kubeconfig: string): Promise<{ door: Door; kubeconfig: string }> {
  const config = new KubeConfig()
  config.loadFromFile(kubeconfig)
  const access: RequestOptions = {}
  await config.applyToHTTPSOptions(access)
  const door = await openDoor(t, config.getCurrentCluster()?.server ?? '', access)
  const path = join(await temporaryFolder(t), 'kubeconfig')
  const through = {
    clusters: [{ name: 'door', cluster: { server: door.url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'door', user: {} }],
    contexts: [{ name: 'door', context: { cluster: 'door', user: 'door' } }],
    'current-context': 'door',
  }
  await writeFile(path, JSON.stringify(through))
  return { door, kubeconfig: path }
}

/** The lists that were written through these doors and taken, in the order in which they came about. */
export function writtenLists(doors: readonly Door[]): { at: number; names: string[] }[] {
  return writesOf(doors)
    .filter(({ status }) => status === 200)
    .map(({ body, to }) => ({ at: to as number, names: (JSON.parse(body) as { domains: string[] }).domains }))
    .sort((a, b) => a.at - b.at)
}

/** The most writes of lists that were under way at once. */
export function mostAtOnce(doors: readonly Door[]): number {
  const writes = writesOf(doors)
  const meets = (at: number) => writes.filter(({ from, to = from }) => from <= at && at <= to).length
  return Math.max(0, ...writes.map(({ from }) => meets(from)))
}

const writesOf = (doors: readonly Door[]): Passage[] =>
  doors.flatMap(({ passages }) => passages).filter(({ method, path }) => method === 'POST' && !path.endsWith('/ssl'))

async function textOf(incoming: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of incoming) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}
