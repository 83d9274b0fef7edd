import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { until } from './api-server.ts'
import { condition, createWorld, type World } from './world.ts'

const FOREIGN = 'example.com/other'
/** Milliseconds. */
const SOON = 15_000

/** An app with a mapping of its own name. */
interface Case {
  name: string
  spec: object
  /** What makes it so, where it was served before. */
  change?: (world: World) => Promise<unknown>
  /** Of the mapping's Ready, as long as the app is so. */
  says: { reason: string; message: RegExp }
}

const MISSING = { reason: 'CredentialsInvalid', message: /ServerPilotApp \S+ cannot be served: .*Secret/ }
const LEAVING = { reason: 'AppNotFound', message: /is being deleted/ }
const SECRET = { credentialsSecretRef: { name: 'serverpilot' } }

const CASES: readonly Case[] = [
  { name: 'missing', spec: { credentialsSecretRef: { name: 'none' } }, says: MISSING },
  { name: 'not-allowed', spec: {}, says: { reason: 'NotAllowed', message: /ambient-credentials-namespaces/ } },
  {
    name: 'changed',
    spec: SECRET,
    change: (world) => world.patch('ServerPilotApp', 'changed', { spec: { credentialsSecretRef: { name: 'none' } } }),
    says: MISSING,
  },
  {
    name: 'held-by-others',
    spec: { ...SECRET, deletionPolicy: 'Delete' },
    async change(world) {
      const { metadata } = (await world.read('ServerPilotApp', 'held-by-others')) ?? {}
      const finalizers = [...(metadata?.finalizers ?? []), FOREIGN]
      await world.patch('ServerPilotApp', 'held-by-others', { metadata: { finalizers } })
      await world.delete('ServerPilotApp', 'held-by-others')
    },
    says: LEAVING,
  },
  {
    name: 'held-by-us',
    spec: { ...SECRET, deletionPolicy: 'Delete' },
    async change(world) {
      await world.patch('ServerPilotApp', 'held-by-us', { spec: { credentialsSecretRef: { name: 'none' } } })
      await world.delete('ServerPilotApp', 'held-by-us')
    },
    says: LEAVING,
  },
]

async function ready(world: World, name: string, wanted: { status: string; reason?: string; message?: RegExp }) {
  await condition(world, 'DomainMapping', name, { type: 'Ready', ...wanted })
}

test('mappings-say-what-their-app-says', { timeout: 110_000 }, async (t: TestContext) => {
  const apps = ['network', 'second', ...CASES.map(({ name }) => name)].map((name) => ({
    name,
    domains: [`${name}.example.org`],
  }))
  const world = await createWorld(t, { simulator: { apps } })
  if (world === undefined) return
  const { simulator } = world
  for (const [index, { name, spec }] of CASES.entries()) {
    const appId = simulator.apps[index + 2]
    await world.create('ServerPilotApp', name, { appId, www: 'Never', ssl: { auto: false }, ...spec })
    await world.create('DomainMapping', name, { domain: `${name}.example.com`, appRef: { name } })
  }
  const environment = { SERVERPILOT_CLIENT_ID: simulator.clientId, SERVERPILOT_API_KEY: simulator.apiKey }
  const began = performance.now()
  const daemon = world.daemon({ environment, flags: ['--namespace', world.namespace] })
  await until('it leads', daemon.leads)
  await Promise.all([
    ...CASES.flatMap(({ name, change, says }) =>
      change === undefined ? [ready(world, name, { status: 'False', ...says })] : [],
    ),
    ...CASES.flatMap(({ name, change }) => (change === undefined ? [] : [ready(world, name, { status: 'True' })])),
  ])
  t.diagnostic(`all said after ${Math.round(performance.now() - began)} ms`)

  // A second object for the app that the first one serves.
  await world.map('shop')
  await ready(world, 'shop', { status: 'True' })
  const { spec } = (await world.read('ServerPilotApp', 'network')) ?? {}
  await world.create('ServerPilotApp', 'copy', spec as object)
  await world.create('DomainMapping', 'copy', { domain: 'copy.example.com', appRef: { name: 'copy' } })
  const changed = performance.now()
  await Promise.all(CASES.map(({ change }) => change?.(world)))
  await Promise.all([
    ...CASES.map(({ name, says }) => ready(world, name, { status: 'False', ...says })),
    ready(world, 'copy', { status: 'False', reason: 'Conflict', message: /cannot be served/ }),
  ])
  const took = performance.now() - changed
  t.diagnostic(`all said ${Math.round(took)} ms after the change`)
  assert.ok(took < SOON, `${took} ms`)
  await ready(world, 'shop', { status: 'True' })

  await world.patch('ServerPilotApp', 'held-by-others', { metadata: { finalizers: [] } })
  await ready(world, 'held-by-others', {
    status: 'False',
    reason: 'AppNotFound',
    message: /There is no ServerPilotApp/,
  })
  await world.patch('ServerPilotApp', 'changed', { spec: SECRET })
  await ready(world, 'changed', { status: 'True' })
})
