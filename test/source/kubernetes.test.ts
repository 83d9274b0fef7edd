import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from '../../src/kubernetes/connection.ts'
import type { KubernetesError } from '../../src/kubernetes/http.ts'
import { createKubernetesSource } from '../../src/source/kubernetes/kubernetes.ts'
import { systemClock } from '../../src/time/clock.ts'
import { type ApiServer, apiServer, until } from '../kubernetes/api-server.ts'

const GROUP = { group: 'domainpilot.dev', version: 'v1alpha1' }

function objectsOf({ admin }: ApiServer, namespace: string) {
  const mapping = { ...GROUP, namespace, plural: 'domainmappings' }
  return {
    app: (name: string, appId = 'nlcN0TwdZAyNEgdp') =>
      admin.custom.createNamespacedCustomObject({
        ...GROUP,
        namespace,
        plural: 'serverpilotapps',
        body: { apiVersion: 'domainpilot.dev/v1alpha1', kind: 'ServerPilotApp', metadata: { name }, spec: { appId } },
      }),
    mapping: (name: string, app = 'network') =>
      admin.custom.createNamespacedCustomObject({
        ...mapping,
        body: {
          apiVersion: 'domainpilot.dev/v1alpha1',
          kind: 'DomainMapping',
          metadata: { name },
          spec: { domain: `${name}.example.com`, appRef: { name: app } },
        },
      }),
    // A merge patch by hand, as the default of the library is a JSON patch.
    change: async (name: string, spec: object) => {
      const object = await admin.custom.getNamespacedCustomObject({ ...mapping, name })
      return await admin.custom.replaceNamespacedCustomObject({
        ...mapping,
        name,
        body: { ...object, spec: { ...object.spec, ...spec } },
      })
    },
    status: async (name: string, status: object) => {
      const object = await admin.custom.getNamespacedCustomObject({ ...mapping, name })
      return await admin.custom.replaceNamespacedCustomObjectStatus({ ...mapping, name, body: { ...object, status } })
    },
    remove: (name: string) => admin.custom.deleteNamespacedCustomObject({ ...mapping, name }),
  }
}

/** A source over everything, with what it told of. */
function follow(kubeconfig: string, namespaces: string[] = [], random?: () => number) {
  const connection = connect({ kubeconfig, environment: {}, timeoutMs: 5000 })
  const source = createKubernetesSource({
    connection,
    clock: systemClock,
    namespaces,
    ...(random === undefined ? {} : { random }),
  })
  const told: string[][] = []
  return {
    source,
    told,
    start: () => source.start((keys) => void told.push([...keys])),
    domains: (namespace: string) =>
      source
        .mappings()
        .filter((each) => each.namespace === namespace)
        .map(({ domain }) => domain)
        .sort(),
    async stop() {
      await source.stop()
      await connection.close()
    },
  }
}

test('a real API server', { timeout: 300_000 }, async (t) => {
  const server = await apiServer(t)
  if (server === undefined) return
  const { own } = server

  await t.test('reads everything, then follows what comes, changes and goes', async () => {
    const namespace = await server.namespace('follow')
    const objects = objectsOf(server, namespace)
    await objects.app('network')
    const names = Array.from({ length: 200 }, (_, number) => `m${number}`)
    for (let at = 0; at < names.length; at += 20)
      await Promise.all(names.slice(at, at + 20).map((name) => objects.mapping(name)))
    const { source, told, start, domains, stop } = follow(server.kubeconfig)
    try {
      const begun = performance.now()
      await start()
      t.diagnostic(`synced 200 mappings in ${Math.round(performance.now() - begun)} ms`)
      assert.equal(source.synced(), true)
      assert.equal(source.failure(), undefined)
      const app = source.app(`${namespace}/network`)
      assert.ok(app)
      assert.equal(source.mappingsOf(app).mappings.length, 200)
      assert.equal(domains(namespace).length, 200)
      const [one] = source.mappingsOf(app).mappings
      assert.equal(one?.source, 'kubernetes')
      assert.ok(one?.created && one.uid)
      assert.deepEqual(told, [])

      const from = performance.now()
      await objects.mapping('fresh')
      await until('the new mapping is seen', () => domains(namespace).includes('fresh.example.com'))
      t.diagnostic(`a new mapping seen ${Math.round(performance.now() - from)} ms after it was sent`)
      assert.deepEqual(told.at(-1), [`${namespace}/network`])

      await objects.change('m7', { domain: 'seven.example.com' })
      await until('the change is seen', () => domains(namespace).includes('seven.example.com'))
      assert.equal(source.mappings().find(({ domain }) => domain === 'seven.example.com')?.generation, 2)

      await objects.change('m8', { appRef: { name: 'other' } })
      await until('the move is seen', () => source.mappingsOf(app).mappings.length === 200)
      assert.deepEqual(told.slice(-1).flat().sort(), [`${namespace}/network`, `${namespace}/other`])

      const before = told.length
      await objects.status('m9', { observedGeneration: 1 })
      await objects.remove('m10')
      await until('the deletion is seen', () => !domains(namespace).includes('m10.example.com'))
      assert.equal(told.length, before + 1, 'a status alone wakes nobody')
    } finally {
      await stop()
    }
  })

  await t.test('only named namespaces', async () => {
    const [one, two] = [await server.namespace('one'), await server.namespace('two')]
    await objectsOf(server, one).mapping('a')
    await objectsOf(server, two).mapping('b')
    const { start, stop, source } = follow(server.kubeconfig, [one])
    try {
      await start()
      assert.deepEqual(
        source.mappings().map(({ key }) => key),
        [`${one}/a`],
      )
    } finally {
      await stop()
    }
  })

  await t.test('a Secret by name, read again when it changes', async () => {
    const namespace = await server.namespace('secret')
    const { source, stop } = follow(server.kubeconfig)
    assert.equal(await source.secret(namespace, 'serverpilot', 'apiKey'), undefined)
    await server.admin.core.createNamespacedSecret({
      namespace,
      body: { metadata: { name: 'serverpilot' }, stringData: { apiKey: 'one' } },
    })
    assert.equal(await source.secret(namespace, 'serverpilot', 'apiKey'), 'one')
    assert.equal(await source.secret(namespace, 'serverpilot', 'other'), undefined)
    await stop()
  })

  if (own === undefined) return

  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    await t.test(`the API server restarts (${signal}): nothing is lost, what went meanwhile vanishes`, async () => {
      const namespace = await server.namespace('restart')
      const objects = objectsOf(server, namespace)
      await objects.app('network')
      for (const name of ['stays', 'goes']) await objects.mapping(name)
      const { source, start, domains, stop } = follow(server.kubeconfig)
      try {
        await start()
        await own.restart(signal)
        // The source may still wait for its next attempt: these two it learns from the watch or from reading again.
        await objects.remove('goes')
        await objects.mapping('comes')
        const from = performance.now()
        await until('both are seen', () => domains(namespace).join() === 'comes.example.com,stays.example.com')
        t.diagnostic(`${signal}: seen ${Math.round(performance.now() - from)} ms after the server was back`)
        await until('all is well', () => source.failure() === undefined, 10_000)
      } finally {
        await stop()
      }
    })
  }

  await t.test('the API server is away for 20 seconds: said so, and over soon after its return', async () => {
    const namespace = await server.namespace('outage')
    const objects = objectsOf(server, namespace)
    await objects.app('network')
    await objects.mapping('stays')
    const { source, start, told, domains, stop } = follow(server.kubeconfig)
    try {
      await start()
      await own.kill()
      await until('the failure is told', () => source.failure() !== undefined, 10_000)
      // The first word may be of the connections that were open.
      assert.match(
        source.failure()?.message ?? '',
        /cannot be reached.*(ECONNREFUSED|ECONNRESET|terminated|other side closed)/,
      )
      assert.ok(told.flat().includes(`${namespace}/network`))
      assert.deepEqual(domains(namespace), ['stays.example.com'])
      await sleep(20_000)
      await own.start()
      const from = performance.now()
      await objects.mapping('comes')
      await until('the new one is seen', () => domains(namespace).includes('comes.example.com'))
      t.diagnostic(`after 20 s away: seen ${Math.round(performance.now() - from)} ms after the server was ready`)
      await until('all is well', () => source.failure() === undefined, 6000)
    } finally {
      await stop()
    }
  })

  await t.test('the API server stands still for some seconds', async () => {
    const namespace = await server.namespace('frozen')
    const objects = objectsOf(server, namespace)
    await objects.mapping('stays')
    const { source, start, domains, stop } = follow(server.kubeconfig)
    try {
      await start()
      own.freeze()
      const sent = objects.mapping('comes')
      await sleep(4000)
      assert.deepEqual(domains(namespace), ['stays.example.com'])
      own.thaw()
      await sent
      await until('it is seen', () => domains(namespace).includes('comes.example.com'), 5000)
      assert.equal(source.failure(), undefined)
    } finally {
      await stop()
    }
  })

  await t.test('etcd forgot the version that we know: everything is read again', async () => {
    const namespace = await server.namespace('compacted')
    const objects = objectsOf(server, namespace)
    for (const name of ['stays', 'goes']) await objects.mapping(name)
    // The longest pauses, so that all of what follows happens while the source is away.
    const { source, start, domains, stop } = follow(server.kubeconfig, [], () => 0.999)
    try {
      await start()
      await own.kill()
      await until('the failure is told', () => source.failure() !== undefined)
      await own.start()
      await objects.remove('goes')
      await objects.mapping('comes')
      await own.compact()
      await own.restart()
      await until('both are seen', () => domains(namespace).join() === 'comes.example.com,stays.example.com')
      await until('all is well', () => source.failure() === undefined)
    } finally {
      await stop()
    }
  })

  await t.test('rights taken away and given back', async () => {
    const namespace = await server.namespace('rights')
    const objects = objectsOf(server, namespace)
    await objects.app('network')
    await objects.mapping('stays')
    const rules = [{ apiGroups: ['domainpilot.dev'], resources: ['*'], verbs: ['list', 'watch'] }]
    const { admin } = server
    const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1' }
    const role = (given: object[]) => ({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'reader' },
      rules: given,
    })
    const binding = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'reader' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'reader' }],
    }
    const set = async (given: object[]) => {
      const name = 'reader'
      const plural = 'clusterroles'
      const old = await admin.custom.getClusterCustomObject({ ...rbac, plural, name })
      await admin.custom.replaceClusterCustomObject({ ...rbac, plural, name, body: { ...old, rules: given } })
    }
    const { source, start, domains, stop } = follow(await own.user('reader'))
    try {
      await start()
      assert.match(source.failure()?.message ?? '', /User "reader" cannot (list|watch) .*grant get, list and watch/)
      assert.equal(source.synced(), false)
      await admin.custom.createClusterCustomObject({ ...rbac, plural: 'clusterroles', body: role(rules) })
      await admin.custom.createClusterCustomObject({ ...rbac, plural: 'clusterrolebindings', body: binding })
      await until('it reads', () => source.failure() === undefined)
      assert.deepEqual(domains(namespace), ['stays.example.com'])

      await set([])
      // A watch that is open stays so: only the next one is refused.
      await own.restart()
      await until('the refusal is told', () => /cannot (list|watch)/.test(source.failure()?.message ?? ''))
      await objects.remove('stays')
      assert.deepEqual(domains(namespace), ['stays.example.com'], 'what was read last is still served')
      await set(rules)
      await until('it reads again', () => source.failure() === undefined)
      assert.deepEqual(domains(namespace), [])
    } finally {
      await stop()
    }
  })

  await t.test('the custom resources are missing, and come', async () => {
    await server.deleteCrds()
    const { source, start, domains, stop } = follow(server.kubeconfig)
    try {
      await until('they are gone', async () => {
        const gone = await server.admin.json('/apis/domainpilot.dev/v1alpha1/domainmappings').then(
          () => 200,
          (error: KubernetesError) => error.code,
        )
        return gone === 404
      })
      await start()
      assert.match(source.failure()?.message ?? '', /domainpilot crds \| kubectl apply -f -/)
      await server.installCrds()
      await until('they are read', () => source.failure() === undefined)
      const namespace = await server.namespace('crds')
      await objectsOf(server, namespace).app('network')
      await objectsOf(server, namespace).mapping('shop')
      await until('the object is seen', () => domains(namespace).length === 1)

      await server.deleteCrds()
      await until('the failure is told', () => /kubectl apply/.test(source.failure()?.message ?? ''))
      await server.installCrds()
      await until('they are read again', () => source.failure() === undefined)
    } finally {
      await stop()
    }
  })
})
