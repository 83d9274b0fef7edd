import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { App, Key } from '../../../src/api/objects.ts'
import { FINALIZER } from '../../../src/controller/app/finalize.ts'
import { ReconcileError } from '../../../src/controller/context/errors.ts'
import type { Host } from '../../../src/domain/host.ts'
import type { ObjectSource } from '../../../src/source/source.ts'
import { createWorld, names, type World } from '../world.ts'

const KEY = 'wordpress/network'
type Metadata = Pick<App, 'deletionTimestamp' | 'finalizers' | 'fault'>

/** Gives an app of files what only objects of a cluster have, and plays the API server that keeps it. */
async function inCluster(t: TestContext, spec: object = {}, domains: string[] = ['by-hand.example.org']) {
  const world = await createWorld(t, { domains, spec: { deletionPolicy: 'Delete', ...spec } })
  let metadata: Metadata = { finalizers: [] }
  const known = new WeakMap<App, { app: App; of: Metadata }>()
  const overlay = (app: App): App => {
    const old = known.get(app)
    if (old?.of === metadata) return old.app
    const fresh = app.key === KEY ? { ...app, ...metadata } : app
    known.set(app, { app: fresh, of: metadata })
    return fresh
  }
  const vanished = () => metadata.deletionTimestamp !== undefined && metadata.finalizers?.length === 0
  const wrap = (source: ObjectSource): ObjectSource => ({
    ...source,
    apps: () => (vanished() ? [] : source.apps().map(overlay)),
    app: (key: Key) => {
      const app = vanished() ? undefined : source.app(key)
      return app === undefined ? undefined : overlay(app)
    },
  })
  const changes: string[] = []
  Object.assign(world.context.ports, {
    objects: wrap(world.context.ports.objects),
    finalizers: {
      add: async () => {
        changes.push('add')
        metadata = { ...metadata, finalizers: [FINALIZER] }
      },
      remove: async () => {
        changes.push('remove')
        metadata = { ...metadata, finalizers: [] }
      },
    },
  })
  return {
    world,
    changes,
    /** Its newest version has a fault. */
    spoil: (fault: string) => {
      metadata = { ...metadata, fault }
    },
    delete: () => {
      metadata = { ...metadata, deletionTimestamp: world.clock.now() }
    },
    vanished,
  }
}

async function rewrite(world: World, spec: object): Promise<void> {
  const text = {
    apiVersion: 'domainpilot.dev/v1alpha1',
    kind: 'ServerPilotApp',
    metadata: { name: 'network', namespace: 'wordpress' },
    spec: { appId: world.appId, www: 'Never', ssl: { auto: false }, ...spec },
  }
  await world.write('network.yaml', JSON.stringify(text))
}

describe('deletionPolicy: Delete', () => {
  test('the finalizer is there before the first host; all of ours go at once, beyond every budget; the rest stays', async (t) => {
    const { world, changes, ...object } = await inCluster(t, { protectedDomains: ['h001.example.com'] })
    for (const name of names(12)) await world.map(name)
    let seen = ''
    const { records } = world.context.ports
    world.context.ports.records = {
      ...records,
      save: async (record, token) => {
        seen ||= changes.join()
        return await records.save(record, token)
      },
    }
    await world.settle()
    assert.equal(seen, 'add')
    assert.equal(world.listed().length, 13)
    object.delete()
    const posts = world.posts()
    const outcome = await world.reconcile()
    assert.deepEqual(world.listed(), ['by-hand.example.org', 'h001.example.com'])
    assert.equal(world.posts(), posts + 1)
    assert.equal(outcome.removed.length, 11)
    assert.equal(object.vanished(), true)
    assert.equal((await world.reconcile()).app, undefined)
    assert.equal(world.posts(), posts + 1)
  })

  test('an app that would be left without a host waits for an approval', async (t) => {
    const { world, ...object } = await inCluster(t, { policy: 'Sync' }, ['by-hand.example.org'])
    await world.map('shop')
    await world.settle()
    world.simulator.state.setDomains(world.appId, ['shop.example.com'])
    assert.deepEqual(world.listed(), ['shop.example.com'])
    object.delete()
    const outcome = await world.settle()
    assert.match(outcome.plan?.refused?.message ?? '', /without a single host/)
    assert.equal(object.vanished(), false)
    assert.deepEqual(world.listed(), ['shop.example.com'])
  })

  for (const spec of [{ deletionPolicy: 'Retain' }, { suspend: true }, { policy: 'Observe' }])
    test(`${JSON.stringify(spec)}: it goes at once and nothing is written`, async (t) => {
      const { world, changes, ...object } = await inCluster(t)
      await world.map('shop')
      await world.settle()
      await rewrite(world, { deletionPolicy: 'Delete', ...spec })
      object.delete()
      const posts = world.posts()
      await world.reconcile()
      assert.deepEqual([changes, object.vanished(), world.posts()], [['add', 'remove'], true, posts])
      assert.ok(world.listed().includes('shop.example.com'))
    })

  test('Delete turned into Retain takes the finalizer off, and back on', async (t) => {
    const { world, changes } = await inCluster(t)
    await world.settle()
    await rewrite(world, { deletionPolicy: 'Retain' })
    await world.settle()
    await rewrite(world, { deletionPolicy: 'Delete' })
    await world.settle()
    assert.deepEqual(changes, ['add', 'remove', 'add'])
  })

  test('a finalizer that cannot be put on: nothing is added, and it says so', async (t) => {
    const { world } = await inCluster(t)
    await world.map('shop')
    world.context.ports.finalizers = {
      add: () => Promise.reject(new Error('may not patch serverpilotapps')),
      remove: async () => undefined,
    }
    const outcome = await world.reconcile()
    assert.equal(outcome.failure?.retryable, true)
    assert.match(outcome.failure?.message ?? '', /remove-hosts .*wordpress\/network: may not patch serverpilotapps/)
    assert.equal(world.posts(), 0)
  })

  test('another object for the same app takes the hosts over: nothing is removed', async (t) => {
    const { world, ...object } = await inCluster(t)
    await world.map('shop')
    await world.settle()
    const heir = { apiVersion: 'domainpilot.dev/v1alpha1', kind: 'ServerPilotApp' }
    const metadata = { name: 'heir', namespace: 'wordpress' }
    await world.write('heir.yaml', JSON.stringify({ ...heir, metadata, spec: { appId: world.appId } }))
    object.delete()
    const posts = world.posts()
    await world.reconcile()
    assert.deepEqual([object.vanished(), world.posts()], [true, posts])
  })

  test('credentials that are gone: it waits and says both ways out; after an hour it is let go with a word', async (t) => {
    const { world, ...object } = await inCluster(t)
    for (const name of names(3)) await world.map(name)
    await world.settle()
    object.delete()
    const posts = world.posts()
    world.context.ports.accountOf = () =>
      Promise.reject(
        new ReconcileError('CredentialsInvalid', 'Secret wordpress/serverpilot is gone.', { retryable: true }),
      )
    const outcome = await world.reconcile()
    const message = outcome.failure?.message ?? ''
    assert.match(message, /Secret wordpress\/serverpilot is gone.*credentials right.*deletionPolicy: Retain/)
    assert.deepEqual([object.vanished(), outcome.leftBehind], [false, undefined])
    world.clock.advance(3_600_000)
    const last = await world.reconcile()
    assert.match(last.leftBehind ?? '', /Secret wordpress\/serverpilot is gone.*let go/)
    assert.deepEqual([object.vanished(), world.posts(), world.listed().length], [true, posts, 4])
  })

  test('an app that is gone at ServerPilot lets go; one that cannot be reached waits', async (t) => {
    const { world, ...object } = await inCluster(t)
    await world.map('shop')
    await world.settle()
    object.delete()
    await world.simulator.stop()
    const failed = await world.reconcile()
    assert.equal(failed.failure?.reason, 'ApiUnreachable')
    assert.equal(object.vanished(), false)
    world.context.ports.accountOf = () =>
      Promise.reject(new ReconcileError('AppNotFound', 'There is no such app.', { retryable: true }))
    await world.reconcile()
    assert.equal(object.vanished(), true)
  })

  for (const [ahead, id] of [
    [0, ''],
    [86_400_000, 'the-clock-is-set-back: '],
  ] as const)
    test(`${id}a write whose end nobody saw: it waits until it cannot land any more`, async (t) => {
      const { world, ...object } = await inCluster(t)
      await world.map('shop')
      await world.settle()
      const since = world.clock.now() + ahead
      const late = { mapping: 'wordpress/late', source: 'manifests', state: 'Uncertain', since } as const
      await world.rewrite((record) => ({ ...record, hosts: { ...record.hosts, ['late.example.com' as Host]: late } }))
      object.delete()
      const outcome = await world.reconcile()
      assert.deepEqual(world.listed(), ['by-hand.example.org'])
      assert.equal(object.vanished(), false)
      assert.ok((outcome.next ?? 0) > world.clock.now())
      world.clock.advance(121_000)
      await world.reconcile()
      assert.equal(object.vanished(), true)
    })

  test('a dry run touches no finalizer', async (t) => {
    const { world, changes, ...object } = await inCluster(t)
    world.context.mode.dryRun = true
    await world.map('shop')
    await world.reconcile()
    object.delete()
    await world.reconcile()
    assert.deepEqual(changes, [])
  })
})

describe('a-faulty-object-obeys-its-brakes', () => {
  const FAULT = 'spec.dns.expectedAddresses[0] must be an address or a network'

  test('an app with a fault: nothing is read or written from that moment on, and each of its mappings is told', async (t) => {
    const { world, spoil } = await inCluster(t)
    await world.map('shop')
    await world.settle()
    spoil(FAULT)
    await world.map('second')
    await world.unmap('shop')
    const calls = world.simulator.calls.length
    const outcome = await world.reconcile()
    assert.deepEqual(
      [outcome.result, outcome.failure?.reason, outcome.failure?.retryable],
      ['Failed', 'InvalidSpec', false],
    )
    assert.equal(outcome.failure?.message, FAULT)
    assert.deepEqual(
      outcome.mappings.map(({ name }) => name),
      ['second'],
    )
    assert.equal(world.simulator.calls.length, calls)
    assert.deepEqual(world.listed(), ['by-hand.example.org', 'shop.example.com'])
  })

  test('deleted with a fault it is let go: its hosts stay, and that is said', async (t) => {
    const { world, changes, ...object } = await inCluster(t)
    await world.map('shop')
    await world.settle()
    object.spoil(FAULT)
    object.delete()
    const outcome = await world.reconcile()
    assert.match(
      outcome.leftBehind ?? '',
      /was deleted while it had a fault, and let go: hosts that domainpilot added stay/,
    )
    assert.deepEqual(changes, ['add', 'remove'])
    assert.equal(object.vanished(), true)
    assert.deepEqual(world.listed(), ['by-hand.example.org', 'shop.example.com'])
  })

  test('a mapping with a fault: what it held stays, and nothing is added for it', async (t) => {
    const world = await createWorld(t)
    await world.map('shop')
    await world.settle()
    const { objects } = world.context.ports
    const fault = 'spec.www must be Always, MainOnly or Never'
    const spoiled: ObjectSource = {
      ...objects,
      mappingsOf: (app) => {
        const read = objects.mappingsOf(app)
        return { ...read, mappings: read.mappings.map((each) => ({ ...each, fault })) }
      },
    }
    Object.assign(world.context.ports, { objects: spoiled, mappingSources: [spoiled] })
    await world.map('second')
    const outcome = await world.reconcile()
    assert.equal(outcome.plan?.held.get('second.example.com' as Host)?.reason, 'InvalidSpec')
    assert.deepEqual(world.listed(), ['by-hand.example.org', 'shop.example.com'])
  })
})
