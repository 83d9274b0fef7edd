import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { names } from '../controller/world.ts'
import { apiServer, until } from './api-server.ts'
import { openApiDoor, openDoor, writtenLists } from './door.ts'
import { condition, createWorld, type Daemon, type World } from './world.ts'

const STEADY = names(12)
/** Longer than a leader may stay without its Lease. */
const FREEZE_MS = 20_000

/** Keeps a daemon running as a kubelet does: one that ends is started again. Gives every one so far. */
function supervise(t: TestContext, start: () => Daemon): () => readonly Daemon[] {
  const all: Daemon[] = []
  let over = false
  const run = () => {
    if (over) return
    const daemon = start()
    all.push(daemon)
    void daemon.ended.then(run)
  }
  t.after(() => {
    over = true
    for (const { child } of all) child.kill('SIGKILL')
  })
  run()
  return () => all
}

test('the API server is killed, ended, frozen and forgetful while a daemon leads', { timeout: 170_000 }, async (t) => {
  const server = await apiServer(t)
  if (server === undefined) return
  const { own } = server
  if (own === undefined) return t.skip('needs an API server of its own: set KUBEBUILDER_ASSETS')
  // No guard but the settling: what is lost by a hiccup of reading would be removed.
  const safety = { settle: '50ms', settleInferred: '50ms', maxRemovalPercent: 100, allowEmpty: true }
  const world = await createWorld(t, { shared: server, spec: { safety } })
  assert.ok(world)
  const serverpilot = await openDoor(t, world.simulator.url)
  const api = await openApiDoor(t, server.kubeconfig)
  for (const name of STEADY) await world.map(name)
  const flags = ['--serverpilot-url', serverpilot.url]
  const daemons = supervise(t, () => world.daemon({ kubeconfig: api.kubeconfig, flags }))
  const wanted = new Set(['by-hand.example.org', ...STEADY.map((name) => `${name}.example.com`)])
  await until('all are there', () => world.listed().length === wanted.size, 60_000)

  /** A mapping made now is served, one deleted now goes, and nothing else ever went. */
  async function works(after: string): Promise<void> {
    const began = performance.now()
    await world?.map(after)
    const host = `${after}.example.com`
    await until(`${after} is served`, () => world?.listed().includes(host) ?? false, 60_000)
    t.diagnostic(`${after}: served after ${Math.round(performance.now() - began)} ms`)
    const seen = performance.now()
    await world?.unmap(after)
    await until(`${after} is gone again`, () => !world?.listed().includes(host), 60_000)
    await condition(world as World, 'ServerPilotApp', 'network', { type: 'Synced', status: 'True' })
    for (const { at, names: list } of writtenLists([serverpilot]).slice(1)) {
      const lost = [...wanted].filter((each) => !list.includes(each))
      assert.deepEqual(lost, [], `lost ${at < seen ? 'before' : 'after'} ${after} was deleted`)
    }
  }

  await t.test('killed and started again', async () => {
    await own.restart('SIGKILL')
    await works('after-a-kill')
  })
  await t.test('ended gracefully and started again', async () => {
    await own.restart('SIGTERM')
    await works('after-an-end')
  })
  await t.test('etcd is compacted while the watches are down', async () => {
    await world.patch('DomainMapping', STEADY[0] as string, { metadata: { annotations: { example: 'change' } } })
    await own.compact()
    api.door.cut()
    await works('after-a-compaction')
  })
  await t.test('frozen for longer than a Lease', async () => {
    const before = daemons().length
    const posts = world.posts()
    own.freeze()
    await pause(FREEZE_MS)
    own.thaw()
    assert.equal(world.posts(), posts)
    await works('after-a-freeze')
    assert.ok(daemons().length > before, 'a leader that cannot renew its Lease has ended')
    assert.match(daemons()[before - 1]?.log() ?? '', /Leadership is lost/)
    assert.notEqual(daemons()[before - 1]?.child.exitCode, 0)
  })
})
