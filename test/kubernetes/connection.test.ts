import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect as connectTo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { type ConnectOptions, connect } from '../../src/kubernetes/connection.ts'
import type { KubernetesError } from '../../src/kubernetes/http.ts'
import { apiServer } from './api-server.ts'
import { withTyped } from './typed.ts'

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'domainpilot-connection-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}

/** A connection to a fake server. `write` changes the token in the kubeconfig. */
async function setUp(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  options: Partial<ConnectOptions> = {},
) {
  let sockets = 0
  const server = createServer(answer).on('connection', () => sockets++)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const kubeconfig = join(await folderFor(t), 'kubeconfig')
  const write = (token: string) =>
    writeFile(
      kubeconfig,
      JSON.stringify({
        clusters: [
          { name: 'a', cluster: { server: `http://127.0.0.1:${port}/base`, 'insecure-skip-tls-verify': true } },
        ],
        users: [{ name: 'a', user: { token } }],
        contexts: [{ name: 'a', context: { cluster: 'a', user: 'a', namespace: 'ns' } }],
        'current-context': 'a',
      }),
    )
  await write('token-one')
  const connection = withTyped(connect({ kubeconfig, environment: {}, ...options }))
  t.after(async () => {
    await connection.close()
    server.closeAllConnections()
    server.close()
  })
  return { connection, write, sockets: () => sockets }
}

/** An HTTP proxy that tunnels, until it is told to refuse. */
async function openProxy(t: TestContext) {
  const asked: string[] = []
  let refuses = false
  const server = createServer().on('connect', (request: IncomingMessage, client: Socket) => {
    asked.push(request.url ?? '')
    if (refuses) return client.end('HTTP/1.1 403 Forbidden\r\n\r\n')
    client.write('HTTP/1.1 200 OK\r\n\r\n')
    const { hostname, port } = new URL(`http://${request.url}`)
    const onward = connectTo(Number(port), hostname)
    for (const socket of [client, onward]) socket.on('error', () => socket.destroy())
    client.pipe(onward).pipe(client)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close().closeAllConnections())
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`
  return {
    url,
    asked,
    refuse() {
      refuses = true
    },
  }
}

const failureOf = (call: Promise<unknown>): Promise<KubernetesError> =>
  call.then(
    () => assert.fail('it should have failed'),
    (error: KubernetesError) => error,
  )

const ok = (response: ServerResponse) =>
  response.setHeader('content-type', 'application/json').end('{"kind":"ConfigMap","metadata":{"name":"a"}}')

describe('connection', () => {
  test('a refused token is read again, once', async (t) => {
    const seen: (string | undefined)[] = []
    const { connection, write } = await setUp(t, (request, response) => {
      seen.push(request.headers.authorization)
      if (request.headers.authorization === 'Bearer token-two') ok(response)
      else response.writeHead(401).end('{"kind":"Status","reason":"Unauthorized","message":"Unauthorized"}')
    })
    const error = await failureOf(connection.core.readNamespacedConfigMap({ namespace: 'ns', name: 'a' }))
    assert.deepEqual([error.code, error.reason], [401, 'Unauthorized'])
    assert.deepEqual(seen, ['Bearer token-one', 'Bearer token-one'])
    await write('token-two')
    await Promise.all([1, 2, 3].map(() => connection.core.readNamespacedConfigMap({ namespace: 'ns', name: 'a' })))
    await connection.core.readNamespacedConfigMap({ namespace: 'ns', name: 'a' })
    assert.equal(seen.at(-1), 'Bearer token-two')
    assert.ok(seen.length <= 9, 'read again once for all')
  })

  test('an error has the words of the Status and nothing secret', async (t) => {
    const { connection } = await setUp(t, (request, response) => {
      const page = request.url?.includes('page')
      response.writeHead(page ? 502 : 409, { 'retry-after': '2', 'x-secret': 'header-secret' })
      response.end(page ? '<html>token-one</html>' : '{"kind":"Status","reason":"Conflict","message":"it was changed"}')
    })
    const error = await failureOf(connection.core.replaceNamespacedConfigMap({ namespace: 'ns', name: 'a', body: {} }))
    assert.deepEqual(
      [error.code, error.reason, error.message, error.retryAfter],
      [409, 'Conflict', 'it was changed', 2000],
    )
    assert.doesNotMatch(inspect(error, { depth: 9 }), /token-one|header-secret/)
    const page = await failureOf(
      connection.core.replaceNamespacedConfigMap({ namespace: 'ns', name: 'page', body: {} }),
    )
    assert.deepEqual([page.code, page.reason, page.message], [502, 'BadGateway', '502 Bad Gateway'])
    assert.doesNotMatch(inspect(page, { depth: 9 }), /token-one|header-secret/)
  })

  test('a call ends in time, also when it hangs in the middle of its answer', async (t) => {
    const { connection } = await setUp(
      t,
      (request, response) => {
        if (request.method === 'GET') response.write('{')
      },
      { timeoutMs: 300, urgentTimeoutMs: 100 },
    )
    const from = performance.now()
    const urgent = await failureOf(connection.urgent.core.createNamespacedConfigMap({ namespace: 'ns', body: {} }))
    assert.deepEqual([urgent.reason, urgent.code], ['Timeout', undefined])
    assert.ok(performance.now() - from < 280)
    const read = await failureOf(connection.core.readNamespacedConfigMap({ namespace: 'ns', name: 'a' }))
    assert.equal(read.reason, 'Timeout')
    assert.ok(performance.now() - from < 1500)
  })

  test('nobody there: unreachable', async (t) => {
    const { connection } = await setUp(t, (request) => request.destroy())
    const reset = await failureOf(connection.core.createNamespacedConfigMap({ namespace: 'ns', body: {} }))
    assert.equal(reset.reason, 'Unreachable')
    const kubeconfig = join(await folderFor(t), 'kubeconfig')
    const cluster = { server: 'http://127.0.0.1:1', 'insecure-skip-tls-verify': true }
    const context = { name: 'a', context: { cluster: 'a', user: 'a' } }
    await writeFile(
      kubeconfig,
      JSON.stringify({ clusters: [{ name: 'a', cluster }], contexts: [context], 'current-context': 'a' }),
    )
    const nobody = withTyped(connect({ kubeconfig, environment: {} }))
    const refused = await failureOf(nobody.core.createNamespacedConfigMap({ namespace: 'ns', body: {} }))
    assert.equal(refused.reason, 'Unreachable')
    assert.match(refused.message, /ECONNREFUSED/)
  })

  test('300 calls share 8 connections; watches have their own; the path of a gateway is kept', async (t) => {
    const urls = new Set<string | undefined>()
    const { connection, sockets } = await setUp(
      t,
      (request, response) => {
        urls.add(request.url)
        if (request.url?.includes('watch')) response.write('{}\n')
        else ok(response)
      },
      { qps: 1000 },
    )
    for (let count = 0; count < 10; count++) await connection.raw('/watch', { query: { watch: true } })
    const call = () => connection.core.readNamespacedConfigMap({ namespace: 'ns', name: 'a' })
    await Promise.all(Array.from({ length: 300 }, call))
    assert.ok(sockets() <= 18, `${sockets()} connections`)
    assert.deepEqual([...urls], ['/base/watch?watch=true', '/base/api/v1/namespaces/ns/configmaps/a'])
  })

  test('a call that waits for a connection ends in time; closing ends what is under way and what waits', async (t) => {
    const { connection } = await setUp(t, () => {}, { timeoutMs: 60_000, urgentTimeoutMs: 100 })
    const read = (): Promise<KubernetesError> => failureOf(connection.json('/api/v1/namespaces/ns'))
    const hung = Array.from({ length: 9 }, read)
    const abort = new AbortController()
    const aborted = failureOf(connection.json('/api', { signal: abort.signal }))
    await sleep(50)
    const from = performance.now()
    const urgent = await failureOf(connection.urgent.call({ method: 'GET', path: '/api' }))
    assert.equal(urgent.reason, 'Timeout')
    const reason = new Error('enough')
    abort.abort(reason)
    assert.equal(await aborted, reason)
    await connection.close()
    for (const error of await Promise.all(hung)) assert.match(error.message, /the connection was closed/)
    assert.match((await read()).message, /the connection was closed/)
    assert.ok(performance.now() - from < 1000)
  })

  test('a watch that is given up throws the reason of its signal', async (t) => {
    const { connection } = await setUp(t, (_request, response) => response.write('{}\n'))
    const abort = new AbortController()
    const lines = await connection.raw('/watch', { signal: abort.signal })
    const reason = new Error('enough')
    const reading = (async () => {
      for await (const _ of lines) abort.abort(reason)
    })()
    await assert.rejects(reading, (error) => error === reason)
  })

  test('through the proxy of the kubeconfig; its refusal is not taken for an answer of the API server', async (t) => {
    const server = createServer((_request, response) => ok(response))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const proxy = await openProxy(t)
    const kubeconfig = join(await folderFor(t), 'kubeconfig')
    const cluster = { server: `http://127.0.0.1:${port}`, 'proxy-url': proxy.url, 'insecure-skip-tls-verify': true }
    const context = { name: 'a', context: { cluster: 'a', user: 'a' } }
    const config = { clusters: [{ name: 'a', cluster }], contexts: [context], users: [], 'current-context': 'a' }
    await writeFile(kubeconfig, JSON.stringify(config))
    const connection = connect({ kubeconfig, environment: {} })
    t.after(async () => {
      await connection.close()
      server.close().closeAllConnections()
    })
    await connection.json('/api')
    await connection.json('/api')
    assert.deepEqual(proxy.asked, [`127.0.0.1:${port}`])
    proxy.refuse()
    const error = await failureOf(connection.raw('/watch'))
    assert.deepEqual([error.code, error.reason], [undefined, 'Unreachable'])
    assert.match(error.message, /proxy 127\.0\.0\.1:\d+ answered 403/)
  })

  test('calls keep to the limit; urgent ones go past it', async (t) => {
    const { connection } = await setUp(t, (_request, response) => ok(response), { qps: 10 })
    const from = performance.now()
    const waiting = Promise.all(
      Array.from({ length: 30 }, () => connection.core.readNamespacedConfigMap({ namespace: 'ns', name: 'a' })),
    )
    await sleep(50)
    const urgent = performance.now()
    await connection.urgent.core.readNamespacedConfigMap({ namespace: 'ns', name: 'a' })
    assert.ok(performance.now() - urgent < 500, 'at once')
    await waiting
    assert.ok(performance.now() - from > 900, '20 at once, 10 within a second')
  })

  test('a configuration that cannot be used says what to do', async (t) => {
    const folder = await folderFor(t)
    const reason = (options: Partial<ConnectOptions>) => {
      try {
        connect({ environment: {}, ...options })
      } catch (error) {
        assert.equal((error as KubernetesError).reason, 'Misconfigured')
        return (error as Error).message
      }
      return assert.fail('it should have failed')
    }
    assert.match(reason({}), /--kubeconfig/)
    assert.match(reason({ kubeconfig: join(folder, 'none') }), /cannot be read: ENOENT/)
    await writeFile(join(folder, 'broken'), 'users: [{token: secret')
    assert.doesNotMatch(reason({ kubeconfig: join(folder, 'broken') }), /secret/)
    await writeFile(join(folder, 'empty'), '{"contexts": [{"name": "b", "context": {"cluster": "b", "user": "b"}}]}')
    assert.match(reason({ kubeconfig: join(folder, 'empty'), context: 'c' }), /no context c.*--context \(b\)/)
  })

  test('several kubeconfigs: what two of them define counts as the first has it', async (t) => {
    const folder = await folderFor(t)
    const file = async (name: string, server: string, current?: string) => {
      const clusters = [{ name: 'a', cluster: { server, 'insecure-skip-tls-verify': true } }]
      const contexts = [{ name, context: { cluster: 'a', user: 'a', namespace: name } }]
      await writeFile(join(folder, name), JSON.stringify({ clusters, contexts, users: [], 'current-context': current }))
      return join(folder, name)
    }
    const files = [join(folder, 'missing'), await file('one', 'http://one'), await file('two', 'http://two', 'two')]
    const { server, namespace } = connect({ environment: { KUBECONFIG: files.join(':') } })
    assert.deepEqual([server, namespace], ['http://one', 'two'])
  })
})

test('in the cluster', { timeout: 120_000 }, async (t) => {
  const server = await apiServer(t)
  if (server === undefined || server.own === undefined) return
  const { admin } = server
  const namespace = await server.namespace('pod')
  const account = async () => {
    await admin.core.createNamespacedServiceAccount({ namespace, body: { metadata: { name: 'pod' } } })
    const body = { spec: { audiences: [], expirationSeconds: 600 } }
    const { status } = await admin.core.createNamespacedServiceAccountToken({ namespace, name: 'pod', body })
    return status?.token as string
  }
  const folder = await folderFor(t)
  await writeFile(join(folder, 'ca.crt'), server.own.ca)
  await writeFile(join(folder, 'namespace'), namespace)
  await writeFile(join(folder, 'token'), await account())
  const { hostname, port } = new URL(admin.server)
  const environment = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port }
  const connection = withTyped(connect({ environment, serviceAccountFolder: folder }))
  t.after(() => connection.close())
  assert.equal(connection.namespace, namespace)
  const review = () =>
    connection.authorization.createSelfSubjectAccessReview({
      body: { spec: { resourceAttributes: { verb: 'list', resource: 'secrets' } } },
    })
  assert.equal((await review()).status?.allowed, false)

  // The old token is refused with its account; the new one counts at once, not after a minute.
  await admin.core.deleteNamespacedServiceAccount({ namespace, name: 'pod' })
  await writeFile(join(folder, 'token'), await account())
  assert.equal((await review()).status?.allowed, false)

  const error = await failureOf(connection.core.listSecretForAllNamespaces())
  assert.deepEqual([error.code, error.reason], [403, 'Forbidden'])
  assert.match(error.message, /cannot list resource "secrets"/)

  // Through a proxy, with the certificates of both sides.
  const proxy = await openProxy(t)
  const config = JSON.parse(await readFile(server.kubeconfig, 'utf8')) as { clusters: { cluster: object }[] }
  for (const { cluster } of config.clusters) Object.assign(cluster, { 'proxy-url': proxy.url })
  const kubeconfig = join(dirname(server.kubeconfig), 'proxied.kubeconfig')
  await writeFile(kubeconfig, JSON.stringify(config))
  const proxied = connect({ kubeconfig, environment: {} })
  t.after(() => proxied.close())
  const list = (await proxied.json('/api/v1/secrets')) as { kind: string }
  assert.deepEqual([list.kind, proxy.asked.length], ['SecretList', 1])
})
