import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { LeaseApi, LeaseWrite, StoredLease } from '../../src/kubernetes/api.ts'
import { createLeaseApi } from '../../src/kubernetes/client-apis.ts'
import { type Connection, connect } from '../../src/kubernetes/connection.ts'
import { createElector } from '../../src/kubernetes/lease.ts'
import { createReflector } from '../../src/kubernetes/reflector.ts'
import { createKubernetesSource } from '../../src/source/kubernetes/kubernetes.ts'
import { systemClock } from '../../src/time/clock.ts'
import { stopAnywhere } from '../stop-anywhere.ts'
import { fakeClock } from '../time/fake-clock.ts'

const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log }

/** How a server of these tests answers a watch: with everything, never, or not at all. */
type Manner = 'answers' | 'hangs' | 'refuses'

const SELECTING = {
  apiVersion: 'domainpilot.dev/v1alpha1',
  kind: 'ServerPilotApp',
  metadata: { namespace: 'ns', name: 'network', uid: 'u', resourceVersion: '1', generation: 1 },
  spec: { appId: 'nlcN0TwdZAyNEgdp', allowedNamespaces: { from: 'Selector', selector: { matchLabels: { a: 'b' } } } },
}

describe('a stop at any moment of a start', { timeout: 120_000 }, () => {
  let manner: Manner = 'answers'
  const watches = new Set<ServerResponse>()
  const server = createServer((request, response) => {
    if (manner === 'hangs') return
    if (manner === 'refuses') {
      response.writeHead(503).end('{"kind":"Status","reason":"ServiceUnavailable","message":"not now"}')
      return
    }
    if (request.url?.includes('coordination')) {
      response.writeHead(404).end('{"kind":"Status","reason":"NotFound","message":"not found"}')
      return
    }
    watches.add(response)
    response.once('close', () => watches.delete(response))
    const lines = [
      ...(request.url?.includes('serverpilotapps') ? [{ type: 'ADDED', object: SELECTING }] : []),
      {
        type: 'BOOKMARK',
        object: { metadata: { resourceVersion: '9', annotations: { 'k8s.io/initial-events-end': 'true' } } },
      },
    ]
    response.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  })
  let folder = ''
  let kubeconfig = ''
  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    folder = await mkdtemp(join(tmpdir(), 'domainpilot-stop-'))
    kubeconfig = join(folder, 'kubeconfig')
    const cluster = { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true }
    const contexts = [{ name: 'a', context: { cluster: 'a', user: 'a' } }]
    const config = { clusters: [{ name: 'a', cluster }], users: [], contexts, 'current-context': 'a' }
    await writeFile(kubeconfig, JSON.stringify(config))
  })
  after(async () => {
    server.closeAllConnections()
    server.close()
    await rm(folder, { recursive: true })
  })

  /** The connection is closed after the part, as the program does. */
  const through = (connection: Connection, stop: () => Promise<void>) => async () => {
    await stop()
    await connection.close()
  }

  for (const each of ['answers', 'hangs', 'refuses'] as const) {
    test(`a reflector, while the server ${each}`, async () => {
      manner = each
      const points = await stopAnywhere((act) => {
        const connection = connect({ kubeconfig, environment: {} })
        const reflector = createReflector({
          connection,
          clock: systemClock,
          path: '/api/v1/namespaces',
          decode: () => 'kept',
          changed: () => act('changed'),
        })
        return { start: () => reflector.start(), stop: through(connection, () => reflector.stop()) }
      })
      assert.ok(points > 5, `${points} points`)
      assert.equal(watches.size, 0)
    })

    test(`a source of the cluster, while the server ${each}`, async () => {
      manner = each
      const points = await stopAnywhere(
        (act) => {
          const connection = connect({ kubeconfig, environment: {} })
          const source = createKubernetesSource({ connection, clock: systemClock, namespaces: [] })
          const stop = through(connection, () => source.stop())
          return { start: () => source.start(() => act('changed')), stop }
        },
        { stride: 3 },
      )
      assert.ok(points > 5, `${points} points`)
      assert.equal(watches.size, 0)
    })
  }

  /** A Lease in memory, each of whose calls takes some turns. */
  function memory(act: (what: string) => void): LeaseApi & { holder(): string | undefined } {
    let stored: StoredLease | undefined
    const put = ({ holder, durationSeconds, transitions, ...times }: LeaseWrite): StoredLease => {
      const record = {
        holder,
        durationSeconds,
        transitions,
        acquireTime: new Date(times.acquiredAt).toISOString(),
        renewTime: new Date(times.renewedAt).toISOString(),
      }
      const resourceVersion = `${Number(stored?.resourceVersion ?? 0) + 1}`
      stored = { record, resourceVersion, labels: {}, annotations: {} }
      return stored
    }
    const turns = async (): Promise<void> => {
      for (let turn = 0; turn < 3; turn++) await Promise.resolve()
    }
    return {
      name: 'ns/domainpilot',
      holder: () => stored?.record.holder,
      async read() {
        await turns()
        return stored
      },
      async create(write) {
        act('create')
        await turns()
        return put(write)
      },
      async replace(write) {
        act('replace')
        await turns()
        return put(write)
      },
      watch: (_noticed, signal) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    }
  }

  test('an elector: it is stopped as a standby, while it takes the Lease, and as a leader', async () => {
    const ends = new Set<string | undefined>()
    const points = await stopAnywhere((act) => {
      const clock = fakeClock()
      const api = memory(act)
      const elector = createElector({ api, identity: 'a', clock, log })
      const over = Promise.withResolvers<void>()
      elector.onLeading(over.resolve)
      return {
        clock,
        start() {
          elector.start()
          return over.promise
        },
        async stop() {
          await elector.stop()
          over.resolve()
          ends.add(api.holder())
        },
        left: () => (elector.isLeading() ? ['leads'] : []),
      }
    })
    assert.ok(points > 5, `${points} points`)
    // Either it never had the Lease, or it gave it back.
    assert.deepEqual(ends, new Set([undefined, '']))
  })

  test('an elector, while the API server hangs', async () => {
    manner = 'hangs'
    const connection = connect({ kubeconfig, environment: {} })
    const elector = createElector({
      api: createLeaseApi(connection, 'ns', 'domainpilot'),
      identity: 'a',
      clock: systemClock,
      log,
    })
    elector.start()
    await systemClock.sleep(50)
    const from = performance.now()
    await elector.stop()
    assert.ok(performance.now() - from < 500)
    elector.start()
    assert.equal(elector.isLeading(), false)
    await connection.close()
  })
})
