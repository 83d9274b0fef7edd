import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Kind } from '../../../src/api/schema.ts'
import type { StatusApi } from '../../../src/kubernetes/api.ts'
import { createStatusApi } from '../../../src/kubernetes/client-apis.ts'
import { quiet } from '../../../src/log/quiet.ts'
import { createStatusWriter } from '../../../src/status/cluster/status-writer.ts'
import type { AppStatus, MappingStatus } from '../../../src/status/status.ts'
import { appFields, mappingFields, type StatusFields } from '../../../src/status/wire/wire.ts'
import { systemClock } from '../../../src/time/clock.ts'
import { apiServer } from '../../kubernetes/api-server.ts'
import { fakeClock } from '../../time/fake-clock.ts'
import { app, NOW, sampleStatus } from '../sample-status.ts'

const MAPPING = sampleStatus().mappings.find(({ key }) => key === 'wordpress/neu') as MappingStatus
const mapping = (key: string, more: Partial<MappingStatus> = {}): MappingStatus => ({
  ...MAPPING,
  key,
  source: 'kubernetes',
  ...more,
})
const aged = <S extends AppStatus | MappingStatus>(status: S, ms: number): S => ({
  ...status,
  conditions: status.conditions.map((each) => ({ ...each, lastTransitionTime: each.lastTransitionTime + ms })),
})

interface Patch {
  kind: Kind
  key: string
  status: StatusFields
}

type Answer = Awaited<ReturnType<StatusApi['patchStatus']>>

function world(answer: (patch: Patch) => Promise<Answer> | Answer = () => ({ uid: 'u' })) {
  const patches: Patch[] = []
  const lines: string[] = []
  let may = true
  const api: StatusApi = {
    async patchStatus({ kind, namespace, name }, status) {
      const patch = { kind, key: `${namespace}/${name}`, status }
      patches.push(patch)
      return await answer(patch)
    },
  }
  const write = (message: string) => void lines.push(message)
  const log = { ...quiet, debug: write, info: write, warn: write, error: write }
  const clock = fakeClock()
  const writer = createStatusWriter({
    api,
    clock,
    log,
    assertMayWrite() {
      if (!may) throw new Error('not leading')
    },
  })
  return {
    clock,
    patches,
    lines,
    writer,
    depose() {
      may = false
    },
    settle: () => writer.flush(100_000),
  }
}

const fails = (code: number | undefined) =>
  Object.assign(new Error(`answer ${code}`), code === undefined ? {} : { code })

test('what is written is not written again, nor what was read, in whatever order its fields came', async () => {
  const { writer, patches, settle } = world()
  const status = app('wordpress/network')
  writer.app(status)
  await settle()
  writer.app({ ...status, lastAttempt: 1, lastSuccess: 2 })
  writer.app(aged(status, 5000))
  await settle()
  assert.equal(patches.length, 1)

  const sorted = JSON.parse(JSON.stringify(mappingFields(mapping('wordpress/neu'))), (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  ) as StatusFields
  writer.seen('DomainMapping', 'wordpress/neu', sorted, { uid: 'm' })
  // A restart: nobody but the object knows since when its conditions are as they are.
  writer.mapping(aged(mapping('wordpress/neu'), 3_600_000))
  await settle()
  assert.equal(patches.length, 1)
})

test('a transition time moves with its condition alone', async () => {
  const { writer, patches, settle } = world()
  const before = mapping('wordpress/neu')
  writer.seen('DomainMapping', before.key, mappingFields(before), { uid: 'm' })
  const conditions = aged(before, 3_600_000).conditions.map((each) =>
    each.type === 'DNSReady' ? { ...each, status: 'True' as const, reason: 'Succeeded' } : each,
  )
  writer.mapping({ ...before, conditions })
  await settle()
  const written = patches[0]?.status.conditions as { type: string; lastTransitionTime: string }[]
  const timeOf = (type: string) => Date.parse(written.find((each) => each.type === type)?.lastTransitionTime ?? '')
  const timeBefore = (type: string) => before.conditions.find((each) => each.type === type)?.lastTransitionTime ?? 0
  assert.equal(timeOf('Synced'), timeBefore('Synced'))
  assert.equal(timeOf('DNSReady'), timeBefore('DNSReady') + 3_600_000)
})

test('what is no longer so is taken out, and the shape is that of the CRD', () => {
  const [, network] = sampleStatus().apps
  const fields = appFields(network as AppStatus)
  assert.deepEqual(Object.keys(fields.plan as object), ['hash', 'removals', 'reason', 'message'])
  assert.equal(
    (fields.certificate as StatusFields).notAfter,
    new Date(NOW + 11 * 86_400_000).toISOString().replace('.000', ''),
  )
  const [host] = mappingFields(MAPPING).hosts as StatusFields[]
  assert.deepEqual(Object.keys(host as object), ['name', 'state', 'addresses', 'certificateNotAfter'])
})

test('of one object the latest is written, never two at a time; of all 8 at most; apps first', async () => {
  let most = 0
  let now = 0
  const busy = new Set<string>()
  const twice: string[] = []
  const { writer, patches, settle } = world(async ({ key }) => {
    if (busy.has(key)) twice.push(key)
    busy.add(key)
    most = Math.max(most, ++now)
    await turn()
    now--
    busy.delete(key)
    return { uid: key }
  })
  for (let generation = 1; generation <= 3; generation++) {
    for (let i = 0; i < 100; i++) writer.mapping(mapping(`wordpress/m${i}`, { observedGeneration: generation }))
    writer.app(app('wordpress/network', { observedGeneration: generation }))
    await turn()
  }
  assert.equal(await settle(), 0)
  assert.deepEqual(twice, [], 'two patches of one object at once')
  assert.equal(most, 8)
  assert.equal(patches[0]?.kind, 'ServerPilotApp')
  assert.ok(patches.length < 200, `${patches.length} patches`)
  const last = new Map(patches.map(({ key, status }) => [key, status.observedGeneration]))
  assert.deepEqual(new Set(last.values()), new Set([3]))
})

test('what comes while a patch of the same object is under way waits for it', async () => {
  const answers: (() => void)[] = []
  const { writer, patches, settle } = world(async () => {
    await new Promise<void>((resolve) => answers.push(resolve))
    return { uid: 'u' }
  })
  for (let generation = 1; generation <= 3; generation++) {
    writer.app(app('wordpress/network', { observedGeneration: generation }))
    await turn()
  }
  assert.equal(patches.length, 1)
  answers.shift()?.()
  await turn()
  answers.shift()?.()
  await settle()
  assert.deepEqual(
    patches.map(({ status }) => status.observedGeneration),
    [1, 3],
  )
})

test('409: left to the next outcome; 404: forgotten', async () => {
  let code: number | undefined = 409
  const { writer, patches, lines, settle } = world(() => {
    if (code !== undefined) throw fails(code)
    return { uid: 'u' }
  })
  const status = app('wordpress/network')
  writer.app(status)
  await settle()
  assert.equal(patches.length, 1)
  code = 404
  writer.app(status)
  await settle()
  code = undefined
  writer.app(status)
  await settle()
  writer.app({ ...status, observedGeneration: 2 })
  await settle()
  assert.equal(patches.length, 4)
  assert.deepEqual(lines, [])
})

test('while the API server is away everything waits; one line says so; the latest is written after it', async () => {
  let away = true
  const { clock, writer, patches, lines, settle } = world(() => {
    if (away) throw fails(503)
    return { uid: 'u' }
  })
  for (let i = 0; i < 50; i++) writer.mapping(mapping(`wordpress/m${i}`))
  // Half a second, a whole one, two: each time as many as may be under way.
  for (const pause of [0, 500, 1_000, 2_000]) {
    clock.advance(pause)
    await turn()
  }
  assert.equal(patches.length, 4 * 8)
  writer.mapping(mapping('wordpress/m7', { observedGeneration: 2 }))
  away = false
  clock.advance(4_000)
  assert.equal(await settle(), 0)
  assert.equal(patches.findLast(({ key }) => key === 'wordpress/m7')?.status.observedGeneration, 2)
  assert.deepEqual(lines, ['Statuses cannot be written, trying again'])
})

test('a refusal is said once, not for every object', async () => {
  const { writer, patches, lines, settle } = world(() => {
    throw fails(403)
  })
  for (let i = 0; i < 50; i++) writer.mapping(mapping(`wordpress/m${i}`))
  await settle()
  assert.equal(patches.length, 50)
  assert.deepEqual(lines, ['A status was refused'])
})

test('an object that was deleted and made again gets its status though it is the same', async () => {
  const { writer, patches, settle } = world(() => ({ uid: 'first' }))
  const status = app('wordpress/network')
  writer.app(status)
  await settle()
  writer.seen('ServerPilotApp', status.key, undefined, { uid: 'second' })
  writer.app(status)
  await settle()
  assert.equal(patches.length, 2)
})

test('a status that another process wrote meanwhile, or a restore put back, is written anew', async () => {
  const { writer, patches, settle } = world(() => ({ uid: 'u', resourceVersion: '7' }))
  const mine = app('wordpress/network')
  const theirs = appFields({ ...mine, conditions: [] })
  writer.seen('ServerPilotApp', mine.key, appFields(mine), { uid: 'u', resourceVersion: '5' })
  // A standby looks on while the leader writes, and takes over.
  writer.seen('ServerPilotApp', mine.key, theirs, { uid: 'u', resourceVersion: '6' })
  writer.app(mine)
  await settle()
  assert.equal(patches.length, 1)
  // The echo of its own patch, and a restore of etcd.
  writer.seen('ServerPilotApp', mine.key, patches[0]?.status, { uid: 'u', resourceVersion: '7' })
  writer.app(mine)
  await settle()
  assert.equal(patches.length, 1)
  writer.seen('ServerPilotApp', mine.key, theirs, { uid: 'u', resourceVersion: '4' })
  writer.app(mine)
  await settle()
  assert.equal(patches.length, 2)
})

test('leader-that-wakes-up-late: no patch without leadership; rows of a database have no object', async () => {
  const { writer, patches, depose, settle } = world()
  writer.mapping({ ...MAPPING, source: 'wordpress' })
  await settle()
  depose()
  writer.app(app('wordpress/network'))
  await settle()
  assert.deepEqual(patches, [])
})

test('flush gives up in time and says how many are left', async () => {
  const { clock, writer } = world(() => new Promise<never>(() => undefined))
  for (let i = 0; i < 20; i++) writer.mapping(mapping(`wordpress/m${i}`))
  const left = writer.flush(1000)
  clock.advance(1000)
  assert.equal(await left, 20)
  writer.stop()
  writer.mapping(mapping('wordpress/late'))
  assert.equal(writer.depth(), 8, 'only what is under way')
})

test('statuses on a real API server', { timeout: 60_000 }, async (t) => {
  const server = await apiServer(t)
  if (server === undefined) return
  const namespace = await server.namespace('status')
  const group = { group: 'domainpilot.dev', version: 'v1alpha1', namespace }
  const make = async (kind: Kind, plural: string, name: string, spec: object): Promise<void> => {
    const body = { apiVersion: 'domainpilot.dev/v1alpha1', kind, metadata: { name }, spec }
    await server.admin.custom.createNamespacedCustomObject({ ...group, plural, body })
  }
  const read = async (plural: string, name: string) =>
    (await server.admin.custom.getNamespacedCustomObject({ ...group, plural, name })) as {
      metadata: { uid: string; resourceVersion: string }
      status: StatusFields
    }
  const lines: unknown[] = []
  const write = (message: string, fields?: unknown) => void lines.push({ message, fields })
  const log = { ...quiet, debug: write, info: write, warn: write, error: write }
  const start = () =>
    createStatusWriter({ api: createStatusApi(server.admin), clock: systemClock, log, assertMayWrite() {} })

  await make('ServerPilotApp', 'serverpilotapps', 'network', { appId: 'nlcN0TwdZAyNEgdp' })
  await make('DomainMapping', 'domainmappings', 'neu', { domain: 'neu.example.org', appRef: { name: 'network' } })
  const sample = sampleStatus().apps[1] as AppStatus
  // With every field: one that is not there is written as null, which the server takes away.
  const certificate = { covered: [], uncovered: [], ...sample.certificate, notBefore: Date.UTC(2026, 0, 1) }
  const network = { ...sample, certificate, key: `${namespace}/network`, lastHandledReconcileAt: 'x' }
  const neu = mapping(`${namespace}/neu`)

  let writer = start()
  writer.app(network)
  writer.mapping(neu)
  assert.equal(await writer.flush(10_000), 0)
  let object = await read('serverpilotapps', 'network')
  assert.deepEqual(object.status, JSON.parse(JSON.stringify(appFields(network))))
  const other = await read('domainmappings', 'neu')
  assert.deepEqual(other.status, JSON.parse(JSON.stringify(mappingFields(neu))))

  // The plan and the date are gone.
  const { plan: _, lastHandledReconcileAt: __, ...rest } = network
  const settled: AppStatus = { ...rest, certificate: { covered: [], uncovered: [] } }
  writer.app(settled)
  await writer.flush(10_000)
  object = await read('serverpilotapps', 'network')
  assert.equal('plan' in object.status || 'lastHandledReconcileAt' in object.status, false)
  assert.deepEqual(object.status.certificate, { covered: [], uncovered: [] })

  // A restart: what stands there is read first, nothing is written.
  writer = start()
  writer.seen('ServerPilotApp', settled.key, object.status, object.metadata)
  writer.seen('DomainMapping', neu.key, other.status, other.metadata)
  writer.app(aged(settled, 60_000))
  writer.mapping(aged(neu, 60_000))
  await writer.flush(10_000)
  assert.equal((await read('serverpilotapps', 'network')).metadata.resourceVersion, object.metadata.resourceVersion)
  assert.equal((await read('domainmappings', 'neu')).metadata.resourceVersion, other.metadata.resourceVersion)

  // One that is gone: dropped, without a word.
  writer.mapping(mapping(`${namespace}/gone`))
  await writer.flush(10_000)
  assert.deepEqual(lines, [])
})
