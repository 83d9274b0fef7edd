import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decodeObject } from '../../../src/api/decode.ts'
import { formatFault } from '../../../src/api/faults.ts'
import { parseHost } from '../../../src/domain/host.ts'
import { createWorld, objectYaml } from '../world.ts'

const API_VERSION = 'domainpilot.dev/v1alpha1'

/** The spec of an app with one of the lists, as it is decoded; else its faults. */
function decoded(spec: Record<string, unknown>) {
  const object = {
    apiVersion: API_VERSION,
    kind: 'ServerPilotApp',
    metadata: { name: 'a' },
    spec: { appId: 'A1', ...spec },
  }
  const result = decodeObject(object, { place: 'a', source: 'manifests' })
  if (!result.ok) return { faults: result.faults.map(formatFault) }
  assert.ok(result.kind === 'ServerPilotApp')
  return { spec: result.object.spec }
}

const WRONG = [
  'https://home.example/',
  'home.example:443',
  'home.example/',
  '*example.org',
  'a,b',
  'http://keep.example',
]

for (const list of ['protectedDomains', 'allowedDomains'] as const) {
  describe(`protected-domains-are-checked: ${list}`, () => {
    test('what spec.domain refuses is refused in the same words', () => {
      for (const wrong of [...WRONG, 'home', 'co.uk', '203.0.113.9', 'a..example']) {
        const judged = parseHost(wrong)
        assert.ok(!judged.ok)
        assert.deepEqual(decoded({ [list]: ['good.example', wrong] }).faults, [
          `spec.${list}[1] is not a valid host name: ${judged.message}`,
        ])
      }
      assert.equal(decoded({ [list]: WRONG }).faults?.length, WRONG.length)
      assert.deepEqual(decoded({ [list]: [''] }).faults, [`spec.${list}[0] is empty`])
    })

    test('blanks, letter case and Unicode are folded as in spec.domain', () => {
      const spelt = [' home.example ', 'HOME.example.', '*.Bücher.example', '*.de']
      const canonical = ['home.example', 'home.example', '*.xn--bcher-kva.example', '*.de']
      assert.deepEqual(decoded({ [list]: spelt }).spec?.[list], canonical)
    })
  })
}

test('protected-domains-are-checked: a single * allows every host, and protects none', () => {
  assert.deepEqual(decoded({ allowedDomains: [' * '] }).spec?.allowedDomains, ['*'])
  assert.match(
    String(decoded({ protectedDomains: ['*'] }).faults),
    /spec\.protectedDomains\[0\] is not a valid host name/,
  )
})

describe('protected-domains-are-checked: while a list of an app is at fault, nothing of it is removed', () => {
  const bare = { www: 'Never', ssl: { auto: false }, policy: 'Exclusive' }
  for (const spec of [...WRONG.map((name) => ({ protectedDomains: [name] })), { allowedDomains: ['*example.com'] }]) {
    test(JSON.stringify(spec), async (t) => {
      const simulator = { apps: [{ name: 'network', domains: ['home.example', 'keep.example'] }] }
      const world = await createWorld(t, { mode: { oneShot: true }, simulator, spec: { policy: 'Exclusive' } })
      for (const name of ['one', 'two']) await world.map(name)
      await world.reconcile()
      const listed = world.listed()
      assert.ok(listed.includes('one.example.com'))

      await world.write(
        'network.yaml',
        objectYaml('ServerPilotApp', 'network', { appId: world.appId, ...bare, ...spec }),
      )
      await world.unmap('one')
      const outcome = await world.reconcile()
      assert.equal(outcome.failure?.reason, 'InvalidSpec')
      assert.match(outcome.failure?.message ?? '', /Domains\[0\] is not a valid host name/)
      assert.deepEqual(world.listed(), listed)
    })
  }

  test('a protected name in another spelling is protected', async (t) => {
    const simulator = { apps: [{ name: 'network', domains: ['home.example', 'keep.example'] }] }
    const spec = { policy: 'Exclusive', protectedDomains: [' Home.Example ', '*.example'] }
    const world = await createWorld(t, { mode: { oneShot: true }, simulator, spec })
    await world.map('one')
    const { plan } = await world.reconcile()
    assert.deepEqual(plan?.refused, undefined)
    assert.deepEqual(world.listed(), ['home.example', 'keep.example', 'one.example.com'])
  })
})
