import assert from 'node:assert/strict'
import { rename } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { reconcile } from '../../src/controller/app/reconcile.ts'
import { createWorld, names, objectYaml, type World } from './world.ts'

const reconcileApp = async (world: World, name: string) => {
  await world.context.ports.objects.start(() => undefined)
  await world.context.ports.objects.stop()
  return await reconcile(world.context, `wordpress/${name}`, new AbortController().signal)
}

test('www-that-came-by-itself: it blocks no rest, and goes with its name', async (t) => {
  const world = await createWorld(t, {
    domains: ['www.keep.example.com'],
    simulator: { behaviours: { wwwAppears: true } },
  })
  await world.map('hm')
  await world.map('keep')
  await world.settle()
  assert.deepEqual(world.listed(), ['hm.example.com', 'keep.example.com', 'www.hm.example.com', 'www.keep.example.com'])
  const posts = world.posts()
  await world.settle()
  assert.equal(world.posts(), posts)
  await world.unmap('hm')
  await world.settle()
  assert.deepEqual(world.listed(), ['keep.example.com', 'www.keep.example.com'])
})

test('parses-without-a-complaint: no write while a file is wrong', async (t) => {
  const world = await createWorld(t)
  for (const name of ['old', 'new', 'tpl', 'typo']) await world.map(name)
  await world.settle()
  const posts = world.posts()
  const head = 'apiVersion: domainpilot.dev/v1alpha1\nkind: DomainMapping\n'
  await world.write(
    'old.yaml',
    `# dup\n${head}metadata: {name: old, namespace: wordpress}\nspec:\n  domain: old.example.com\n  domain: new.example.com\n  appRef: {name: network}\n`,
  )
  await world.write(
    'tpl.yaml',
    `# template\n${head}metadata: {name: tpl, namespace: wordpress}\nspec:\n  domain: {{ .Values.domain }}\n  appRef: {name: network}\n`,
  )
  await world.write(
    'typo.yaml',
    `# kind\n${head.replace('DomainMapping', 'DomainMaping')}metadata: {name: typo, namespace: wordpress}\nspec: {domain: typo.example.com, appRef: {name: network}}\n`,
  )
  world.clock.advance(3_600_000)
  const outcome = await world.settle()
  assert.equal(world.posts(), posts)
  assert.equal(world.listed().length, 5)
  const places = world.context.ports.objects
    .faults()
    .map((fault) => fault.place.replace(/^.*\//, ''))
    .sort()
  assert.match(places.join(' '), /old\.yaml:7.*tpl\.yaml:6.*typo\.yaml:3/)
  assert.notEqual(outcome.frozen.size, 0)
})

describe('source-that-is-not-there-yet', () => {
  const fill = async (world: World) => {
    for (const name of names(12)) await world.map(name)
    await world.settle()
  }
  test('(a) a folder that is gone, in the middle of life and at a start: no write, and in sync again by itself', async (t) => {
    const world = await createWorld(t)
    await fill(world)
    const posts = world.posts()
    await rename(world.folder, `${world.folder}.away`)
    for (let turn = 0; turn < 3; turn++) {
      world.clock.advance(3_600_000)
      await world.reconcile()
      assert.match(world.context.ports.objects.failure()?.message ?? '', /domains/)
      if (turn === 1) await world.restart()
    }
    assert.equal(world.posts(), posts)
    await rename(`${world.folder}.away`, world.folder)
    assert.equal((await world.settle()).frozen.size, 0)
    assert.equal(world.posts(), posts)
  })
  test('(b) allowEmpty lets the last host of ours go', async (t) => {
    const safety = { allowEmpty: true, maxRemovalPercent: 100 }
    const world = await createWorld(t, { spec: { safety } })
    await fill(world)
    for (const name of names(12)) await world.unmap(name)
    await world.settle()
    assert.deepEqual(world.listed(), ['by-hand.example.org'])
  })
})

describe('several apps of one account', () => {
  const two = async (t: Parameters<typeof createWorld>[0]) => {
    const apps = [
      { name: 'network', domains: ['a.example.org'] },
      { name: 'second', domains: ['b.example.org'] },
    ]
    const world = await createWorld(t, { simulator: { apps } })
    const second = world.simulator.apps[1] as string
    await world.write(
      'second.yaml',
      objectYaml('ServerPilotApp', 'second', { appId: second, www: 'Never', ssl: { auto: false } }),
    )
    const listed = () => (world.simulator.state.app(second)?.domains ?? []).toSorted()
    return { world, listed }
  }

  test('a host that moves is proven on the new app before it leaves the old', async (t) => {
    const { world, listed } = await two(t)
    await world.map('shop')
    await world.map('stay')
    await world.settle()
    await reconcileApp(world, 'second')
    await world.write(
      'shop.yaml',
      objectYaml('DomainMapping', 'shop', { domain: 'shop.example.com', appRef: { name: 'second' } }),
    )
    await world.reconcile()
    world.clock.advance(60_000)
    const waiting = await world.reconcile()
    assert.ok(world.listed().includes('shop.example.com'), 'still served by the old one')
    assert.match([...(waiting.plan?.held.values() ?? [])][0]?.message ?? '', /wordpress\/second/)
    await reconcileApp(world, 'second')
    assert.ok(listed().includes('shop.example.com'))
    await world.settle()
    assert.ok(!world.listed().includes('shop.example.com'))
  })

  test('one host wanted by both: the holder keeps it, the loser is told', async (t) => {
    const { world, listed } = await two(t)
    await world.map('shop')
    await world.settle()
    await world.write(
      'aaa.yaml',
      objectYaml(
        'DomainMapping',
        'aaa',
        { domain: 'shop.example.com', appRef: { name: 'second' } },
        { creationTimestamp: '2001-01-01T00:00:00Z' },
      ),
    )
    const loser = await reconcileApp(world, 'second')
    assert.match(loser.desired?.rejected[0]?.message ?? '', /held by wordpress\/shop of app wordpress\/network/)
    assert.deepEqual(listed(), ['b.example.org'])
    await world.unmap('shop')
    await world.map('other')
    await reconcileApp(world, 'second')
    assert.ok(listed().includes('shop.example.com'), 'the holder gave it up')
  })
})

describe('a new version', () => {
  test('removes nothing unapproved that went while it was not running', async (t) => {
    const world = await createWorld(t)
    for (const name of names(5)) await world.map(name)
    await world.settle()
    await world.unmap('h001')
    await world.restart()
    world.context.mode.writer = { version: 'next', filters: '' }
    await world.reconcile()
    world.clock.advance(3_600_000)
    const outcome = await world.reconcile()
    assert.equal(outcome.result, 'Refused')
    assert.match(outcome.plan?.refused?.message ?? '', /another version/)
    assert.equal(world.listed().length, 6)
    await world.restart()
    world.context.mode.writer = { version: 'next', filters: '' }
    await world.reconcile()
    world.clock.advance(3_600_000)
    assert.equal((await world.reconcile()).result, 'Refused', 'a restart does not forget it')
    world.context.mode.approval = outcome.plan?.hash
    await world.reconcile()
    assert.equal(world.listed().length, 5)
    assert.equal(world.record().writer.version, 'next')
  })
})
