import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type ApiServer, apiServer, until } from './api-server.ts'
import { createDaemonUser } from './daemon-user.ts'
import { openApiDoor, openDoor } from './door.ts'
import { condition, createWorld } from './world.ts'

const HOSTS = ['by-hand.example.org', 'a.example.com', 'b.example.com', 'c.example.com']

/** Three mappings, and a user with the rights of the daemon's role and no more. */
async function prepared(t: TestContext, server: ApiServer, name: string) {
  const world = await createWorld(t, { shared: server })
  assert.ok(world)
  const user = await createDaemonUser(world, name)
  for (const each of ['a', 'b', 'c']) await world.map(each)
  const api = await openApiDoor(t, user.kubeconfig)
  const serverpilot = await openDoor(t, world.simulator.url)
  const flags = ['--namespace', world.namespace, '--serverpilot-url', serverpilot.url]
  return {
    world,
    user,
    /** Takes effect on watches that are open, too. */
    async allow(rules: typeof user.rules) {
      await user.allow(rules)
      api.door.cut()
    },
    sweeps: () => serverpilot.passages.filter(({ path }) => path === '/v1/apps').length,
    start: () => world.daemon({ kubeconfig: api.kubeconfig, flags }),
  }
}

/** The same with all three in place, and a daemon that leads. */
async function served(...how: Parameters<typeof prepared>) {
  const all = await prepared(...how)
  const daemon = all.start()
  await until('all are there', () => all.world.listed().length === HOSTS.length, 60_000)
  return { ...all, daemon }
}

test('rights that are taken away while the daemon leads', { concurrency: true, timeout: 110_000 }, async (t) => {
  const server = await apiServer(t)
  if (server === undefined) return
  if (server.own === undefined) return t.skip('needs users of its own: set KUBEBUILDER_ASSETS')

  await Promise.all([
    t.test('those to read mappings: the app says so, nothing is removed, and it heals by itself', async (t) => {
      const { world, user, daemon, allow, sweeps } = await served(t, server, 'no-mappings')
      const blind = user.rules.map((rule) => ({
        ...rule,
        resources: rule.resources?.filter((each) => each !== 'domainmappings') ?? [],
      }))
      await allow(blind)
      const words = /cannot \w+ resource "domainmappings".*grant get, list and watch on domainmappings/
      await condition(world, 'ServerPilotApp', 'network', {
        type: 'Synced',
        reason: 'SourceUnavailable',
        message: words,
      })
      await world.unmap('a')
      await world.map('later')
      const posts = world.posts()
      world.simulator.state.setDomains(world.appId, HOSTS.slice(0, 3))
      await until('what is wanted is put back meanwhile', () => world.listed().length === HOSTS.length)
      assert.equal(world.posts(), posts + 1)
      const from = sweeps()
      await until('more sweeps', () => sweeps() >= from + 3)
      assert.deepEqual(world.listed(), HOSTS.toSorted())

      await allow(user.rules)
      const after = ['b.example.com', 'by-hand.example.org', 'c.example.com', 'later.example.com']
      await until('what changed is made good', () => world.listed().join() === after.join(), 60_000)
      await condition(world, 'ServerPilotApp', 'network', { type: 'Synced', status: 'True' })
      assert.equal(daemon.child.exitCode, null)
    }),

    t.test('that to read Secrets: the app names the Secret and what is missing', async (t) => {
      const { world, user, allow, start } = await prepared(t, server, 'no-secrets')
      await allow(user.rules.filter(({ resources }) => !resources?.includes('secrets')))
      start()
      const words = new RegExp(
        `Secret ${world.namespace}/serverpilot, which cannot be read.*cannot get resource "secrets"`,
      )
      await condition(world, 'ServerPilotApp', 'network', {
        type: 'Synced',
        reason: 'CredentialsInvalid',
        message: words,
      })
      assert.equal(world.posts(), 0)
      await allow(user.rules)
      await until('all are there', () => world.listed().length === HOSTS.length, 60_000)
    }),

    t.test('all of them: nothing is removed, the log says what is missing, and it heals by itself', async (t) => {
      const { world, user, daemon, allow, sweeps } = await served(t, server, 'no-rights')
      const posts = world.posts()
      await allow([])
      await until('it says so', () => /cannot \w+ resource \\"serverpilotapps\\"/.test(daemon.log()))
      await world.unmap('a')
      await world.map('later')
      const from = sweeps()
      await until('sweeps go on', () => sweeps() >= from + 3)
      assert.equal(world.posts(), posts)

      await allow(user.rules)
      const after = ['b.example.com', 'by-hand.example.org', 'c.example.com', 'later.example.com']
      await until('what changed is made good', () => world.listed().join() === after.join(), 60_000)
      await condition(world, 'ServerPilotApp', 'network', { type: 'Synced', status: 'True' })
      await condition(world, 'DomainMapping', 'later', { type: 'Ready', status: 'True' })
      assert.equal(daemon.child.exitCode, null)
      assert.doesNotMatch(daemon.log(), /Leadership is lost/)
    }),
  ])
})
