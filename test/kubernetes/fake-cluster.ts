import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Connection, connect } from '../../src/kubernetes/connection.ts'
import type { Clock } from '../../src/time/clock.ts'

/** Lets an HTTP server of a test listen on loopback, and connects to it as to an API server. `close` ends both. */
export async function connectToFake(
  server: Server,
  options: { user?: object; clock?: Clock } = {},
): Promise<{ connection: Connection; close(): Promise<void> }> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const folder = await mkdtemp(join(tmpdir(), 'domainpilot-fake-'))
  const kubeconfig = join(folder, 'kubeconfig')
  const cluster = { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true }
  const contexts = [{ name: 'fake', context: { cluster: 'fake', user: 'fake' } }]
  const { user = {}, ...more } = options
  const users = [{ name: 'fake', user }]
  const config = { clusters: [{ name: 'fake', cluster }], users, contexts, 'current-context': 'fake' }
  await writeFile(kubeconfig, JSON.stringify(config))
  const connection = connect({ kubeconfig, environment: {}, ...more })
  return {
    connection,
    async close() {
      await connection.close()
      server.closeAllConnections()
      server.close()
      await rm(folder, { recursive: true })
    },
  }
}
