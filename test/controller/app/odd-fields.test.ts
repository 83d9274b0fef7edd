import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { createServerPilot } from '../../../src/serverpilot/client.ts'
import type { ServerPilot } from '../../../src/serverpilot/serverpilot.ts'
import { appStatus } from '../../../src/status/app-status.ts'
import { hostChecks } from '../../../src/status/host-checks.ts'
import { systemClock } from '../../../src/time/clock.ts'
import { json, serveHttp } from '../../serverpilot/loopback.ts'
import { createWorld, type World } from '../world.ts'

type Fields = Record<string, unknown>

/** A world whose simulator is asked through a server that changes apps, and actions, in its answers. */
async function oddWorld(t: TestContext, change: { app?: Fields; action?: Fields }, spec: object): Promise<World> {
  let account: ServerPilot | undefined
  const ports = { accountOf: async () => account as ServerPilot }
  const world = await createWorld(t, { spec, ports })
  const { url, clientId, apiKey } = world.simulator
  const between = await serveHttp(async ({ method, path, headers, body }, response) => {
    const { authorization = '' } = headers
    const answer = await fetch(new URL(path, url), {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      ...(method === 'GET' ? {} : { body }),
    })
    const said = (await answer.json()) as { data: Fields | Fields[] }
    const odd = (data: Fields): Fields => ({ ...data, ...('domains' in data ? change.app : change.action) })
    const data = Array.isArray(said.data) ? said.data.map(odd) : odd(said.data)
    json(response, answer.status, method === 'GET' ? { ...said, data } : said)
  })
  t.after(() => between.close())
  account = createServerPilot({
    baseUrl: between.url,
    credentials: { clientId, apiKey },
    qps: 2_000,
    clock: systemClock,
    actionPollMs: 20,
    actionTimeoutMs: 300,
    version: 'test',
  })
  return world
}

const AUTO = { ssl: { auto: true } }

describe('an-odd-field-that-nobody-needs', () => {
  const odd: [string, Fields, RegExp][] = [
    ['ssl: []', { ssl: [] }, /\(ssl: .*object.*array\)/],
    ['ssl: false', { ssl: false }, /\(ssl: .*object.*boolean\)/],
    ['ssl.auto: "yes"', { ssl: { auto: 'yes' } }, /\(ssl: auto: .*boolean.*string\)/],
    ['autossl: []', { autossl: [] }, /\(autossl: .*object.*array\)/],
    ['autossl.available: 1', { autossl: { available: 1 } }, /\(autossl: available: .*boolean.*number\)/],
  ]
  for (const [name, app, problem] of odd) {
    test(`${name}: domains go on, and SSL says what it cannot read`, async (t) => {
      const world = await oddWorld(t, { app }, AUTO)
      await world.map('h001')
      const outcome = await world.reconcile()
      assert.equal(outcome.failure, undefined)
      assert.deepEqual(outcome.added, ['h001.example.com'])
      assert.equal(outcome.ssl?.reason, 'ApiUnreachable')
      assert.match(outcome.ssl.message, problem)
      assert.ok((outcome.next ?? 0) > world.clock.now(), 'it is looked at again')
      assert.equal(world.sslPosts(), 0)
      assert.ok(outcome.app)
      const status = appStatus(outcome.app, outcome, hostChecks(outcome.app, outcome), undefined)
      const said = status.conditions.find(({ type }) => type === 'CertificateReady')
      assert.deepEqual([said?.status, said?.reason], ['Unknown', 'ApiUnreachable'])
      assert.equal(status.conditions.find(({ type }) => type === 'Synced')?.status, 'True')
    })
  }

  test('name: null concerns nobody', async (t) => {
    const world = await oddWorld(t, { app: { name: null } }, {})
    await world.map('h001')
    assert.deepEqual((await world.reconcile()).added, ['h001.example.com'])
  })

  for (const status of ['pending', 7]) {
    test(`an action whose status is ${status}: it is waited for within its bound, then the list is read back`, async (t) => {
      const world = await oddWorld(t, { action: { status } }, {})
      await world.map('h001')
      const outcome = await world.reconcile()
      assert.equal(outcome.failure, undefined)
      assert.deepEqual(outcome.added, ['h001.example.com'])
      assert.ok(world.simulator.counts().getAction > 1)
      assert.equal(world.record().hosts['h001.example.com' as never]?.state, 'Held')
    })
  }
})
