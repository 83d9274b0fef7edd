import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ConfigMapApi, ConfigMapContent, StoredConfigMap } from '../../src/kubernetes/api.ts'
import { createConfigMapApi } from '../../src/kubernetes/client-apis.ts'
import { createRecordStore, recordName } from '../../src/ownership/config-map-store.ts'
import { RecordConflictError, RecordCorruptError, RecordUnavailableError } from '../../src/ownership/store.ts'
import { apiServer } from '../kubernetes/api-server.ts'
import { anyRecord } from './arbitraries.ts'
import { hosts, recordOf } from './records.ts'

function configMaps() {
  const all = new Map<string, StoredConfigMap>()
  let version = 0
  const put = (name: string, { data }: ConfigMapContent) => {
    const stored = { resourceVersion: String(++version), data }
    all.set(name, stored)
    return stored
  }
  const fail = (code: number) => Object.assign(new Error(`answer ${code}`), { code })
  const api: ConfigMapApi = {
    namespace: 'domainpilot',
    read: async (name) => all.get(name),
    async create(name, content) {
      if (all.has(name)) throw fail(409)
      return put(name, content)
    },
    async update(name, content, resourceVersion) {
      const before = all.get(name)
      if (before === undefined) throw fail(404)
      if (before.resourceVersion !== resourceVersion) throw fail(409)
      return put(name, content)
    },
  }
  return { api, all }
}

const storeAt = (api: ConfigMapApi, epoch?: number, outranked: (by: number) => void = () => undefined) =>
  createRecordStore({ api, epoch: () => epoch, outranked })

test('what is saved is loaded again, whatever it is', async () => {
  await fc.assert(
    fc.asyncProperty(anyRecord, async (record) => {
      const store = storeAt(configMaps().api)
      const token = await store.save(record, undefined)
      assert.deepEqual(await store.load(record.account, record.appId), {
        record: JSON.parse(JSON.stringify(record)),
        token,
      })
    }),
    { numRuns: 50 },
  )
})

test('of two who save on the same version one must load again', async () => {
  const { api } = configMaps()
  const store = storeAt(api)
  const record = recordOf(hosts(3))
  const first = await store.save(record, undefined)
  await assert.rejects(store.save(record, undefined), RecordConflictError)
  const second = await store.save(record, first)
  await assert.rejects(store.save(record, first), RecordConflictError)
  await store.save(record, second)
})

test('a record that was deleted under us is no reason to write it again', async () => {
  const { api, all } = configMaps()
  const store = storeAt(api)
  const token = await store.save(recordOf([]), undefined)
  all.clear()
  await assert.rejects(store.save(recordOf([]), token), /deleted by somebody else/)
  assert.equal(await store.load('account', 'app'), undefined)
})

test('a-namespace-that-is-not-there: the first record says so, and is tried again', async () => {
  const missing = Object.assign(new Error('namespace no-such does not exist'), { code: 404 })
  const api: ConfigMapApi = { ...configMaps().api, create: () => Promise.reject(missing) }
  await assert.rejects(storeAt(api).save(recordOf([]), undefined), (error: Error) => {
    assert.ok(error instanceof RecordUnavailableError)
    assert.match(error.message, /namespace no-such does not exist/)
    return true
  })
})

test('leader-that-wakes-up-late: a deposed leader does not overwrite what its successor wrote, also after loading it', async () => {
  const { api } = configMaps()
  const seen: number[] = []
  const [old, successor] = [storeAt(api, 6, (epoch) => seen.push(epoch)), storeAt(api, 7)]
  const record = recordOf(hosts(2))
  const token = await old.save(record, undefined)
  const later = await successor.save(record, token)
  await assert.rejects(old.save(record, token), RecordConflictError)
  const loaded = await old.load('account', 'app')
  assert.equal(loaded?.record.writer.epoch, 7)
  assert.equal(loaded?.token, later)
  await assert.rejects(old.save(record, later), /later leader \(epoch 7, this process has 6\)/)
  assert.deepEqual(seen, [7], 'the elector hears of it')
  await successor.save(record, later)
})

test('a record that cannot be trusted names its ConfigMap and the cure', async () => {
  const { api, all } = configMaps()
  const name = recordName('account', 'app')
  const store = storeAt(api)
  const corrupt = (data: Record<string, string>, words: RegExp) => {
    all.set(name, { resourceVersion: '1', data })
    return assert.rejects(store.load('account', 'app'), (error: Error) => {
      assert.ok(error instanceof RecordCorruptError)
      assert.match(error.message, new RegExp(`ConfigMap domainpilot/${name}`))
      assert.match(error.message, /delete/)
      assert.match(error.message, words)
      return true
    })
  }
  await corrupt({}, /no key record.json/)
  await corrupt({ 'record.json': '{"version":1' }, /not complete JSON/)
  await corrupt({ 'record.json': '{"version":2}' }, /newer domainpilot/)
  await corrupt({ 'record.json': JSON.stringify({ ...recordOf([]), appId: 'other' }) }, /another app \(other/)
})

test('a record too large for a ConfigMap is refused before it is sent', async () => {
  const record = { ...recordOf([]), lastSeen: Array.from({ length: 60_000 }, (_, i) => `host-${i}.example` as never) }
  const { api, all } = configMaps()
  await assert.rejects(storeAt(api).save(record, undefined), /has \d{7} bytes; a ConfigMap holds 1048565/)
  assert.equal(all.size, 0)
})

test('names are safe, and differ where only capitals do', () => {
  const names = [recordName('a', 'App'), recordName('a', 'app'), recordName('a"', 'pp'), recordName('ä/..', 'x')]
  assert.equal(new Set(names).size, 4)
  for (const name of names) assert.match(name, /^domainpilot-[0-9a-f]{20}$/)
})

test('records on a real API server', { timeout: 60_000 }, async (t) => {
  const server = await apiServer(t)
  if (server === undefined) return
  const namespace = await server.namespace('records')
  const core = server.admin.urgent.core
  const store = storeAt(createConfigMapApi(server.admin.urgent, namespace), 3)
  const record = recordOf(hosts(300))
  const name = recordName('account', 'app')

  assert.equal(await store.load('account', 'app'), undefined)
  const token = await store.save(record, undefined)
  await assert.rejects(store.save(record, undefined), RecordConflictError)
  const loaded = await store.load('account', 'app')
  assert.deepEqual(loaded, { record: { ...record, writer: { ...record.writer, epoch: 3 } }, token })

  // Of ten who write at once one wins.
  const results = await Promise.allSettled(
    Array.from({ length: 10 }, (_, i) => store.save({ ...record, approvalsUsed: i + 1 }, token)),
  )
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
  for (const result of results)
    if (result.status === 'rejected') assert.ok(result.reason instanceof RecordConflictError)

  // What others put on it stays.
  const body = await core.readNamespacedConfigMap({ namespace, name })
  assert.equal(body.metadata?.annotations?.['domainpilot.dev/app-id'], 'app')
  body.metadata = { ...body.metadata, annotations: { ...body.metadata?.annotations, mine: 'yes' } }
  await core.replaceNamespacedConfigMap({ namespace, name, body })
  const again = await store.load('account', 'app')
  await store.save(record, again?.token)
  const after = await core.readNamespacedConfigMap({ namespace, name })
  assert.equal(after.metadata?.annotations?.mine, 'yes')
  assert.equal(after.metadata?.labels?.['app.kubernetes.io/managed-by'], 'domainpilot')

  await core.deleteNamespacedConfigMap({ namespace, name })
  await assert.rejects(
    store.save(record, (await store.load('account', 'app'))?.token ?? again?.token),
    RecordConflictError,
  )
})
