import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { issuanceOf } from '../../../src/check/limits.ts'
import { planToJson, planToText } from '../../../src/plan/render.ts'
import { createWorld, type World } from '../world.ts'

const HOUR = 3_600_000
const auto = { ssl: { auto: true, retryInterval: '1m' }, safety: { allowEmpty: true } }

/** An app of whose domain so many certificates were issued, the last one so many hours ago, the others an hour apart before it. */
async function issued(t: TestContext, count: number, hoursAgo: number): Promise<World> {
  const domains = ['by-hand.example.com']
  const world = await createWorld(t, { domains, spec: auto, simulator: { issuance: { delay: 0 } } })
  await world.map('first')
  await world.settle()
  const at = (index: number): number => world.clock.now() - (hoursAgo + count - 1 - index) * HOUR
  const certificates = Array.from({ length: count }, (_, index) => issuanceOf([`h${index}.example.com`], at(index)))
  await world.rewrite((record) => ({ ...record, issued: certificates }))
  return world
}

describe("the certificate authority's limits", () => {
  test('a certificate that AutoSSL installed is noted, once, and survives a restart', async (t) => {
    const world = await createWorld(t, { domains: [], spec: auto, simulator: { issuance: { delay: 0 } } })
    await world.map('shop')
    await world.settle()
    await world.reconcile()
    const [first, ...more] = world.record().issued ?? []
    assert.deepEqual([first?.domains, more], [['example.com'], []])
    await world.restart()
    await world.map('other')
    await world.settle()
    assert.equal(world.record().issued?.length, 2)
  })

  test('far from a limit additions go in, and the plan says what they cost', async (t) => {
    const world = await issued(t, 10, 0)
    await world.map('next')
    const outcome = await world.reconcile()
    assert.deepEqual(outcome.added, ['next.example.com'])
    assert.match(
      outcome.forecast?.message ?? '',
      /^1[01] of 50 certificates a week for example\.com are used; this takes 1 more\./,
    )
    assert.ok(outcome.applied)
    const text = planToText(outcome.applied, [], undefined, outcome.forecast)
    assert.match(text, / {2}certificate authority: 1[01] of 50 certificates a week/)
    assert.deepEqual(planToJson(outcome.applied, [], outcome.forecast).certificates?.verdict, 'Go')
  })

  test('near a limit additions are gathered, and go in together', async (t) => {
    const world = await issued(t, 45, 1)
    const posts = world.posts()
    await world.map('one')
    const first = await world.reconcile()
    assert.equal(first.plan?.held.get('one.example.com' as never)?.reason, 'CertificateLimit')
    world.clock.advance(HOUR)
    await world.map('two')
    const second = await world.reconcile()
    assert.equal(world.posts(), posts)
    assert.ok(second.next !== undefined && second.next > world.clock.now())
    world.clock.advance(second.next - world.clock.now() + 1)
    assert.deepEqual((await world.reconcile()).added, ['one.example.com', 'two.example.com'])
    assert.equal(world.posts(), posts + 1)
  })

  test('a limit that is used up holds nothing back for days', async (t) => {
    const world = await issued(t, 52, 0)
    await world.map('one')
    const { next } = await world.reconcile()
    assert.ok(next !== undefined && next - world.clock.now() < 4 * HOUR, String(next))
    world.clock.advance(next - world.clock.now() + 1)
    assert.deepEqual((await world.reconcile()).added, ['one.example.com'])
  })

  test('removals wait for no limit, and neither does an app without AutoSSL', async (t) => {
    const world = await issued(t, 45, 0)
    await world.unmap('first')
    const gone = await world.settle()
    assert.ok(!world.listed().includes('first.example.com'), gone.failure?.message)
    const plain = await createWorld(t, { spec: { ssl: { auto: false } } })
    await plain.map('one')
    const outcome = await plain.reconcile()
    assert.deepEqual([outcome.added, outcome.forecast], [['one.example.com'], undefined])
  })

  test('who applies by hand has decided', async (t) => {
    const world = await issued(t, 45, 0)
    world.context.mode.oneShot = true
    await world.map('one')
    const outcome = await world.reconcile()
    assert.deepEqual(outcome.added, ['one.example.com'])
    assert.equal(outcome.forecast?.verdict, 'Batch')
  })
})
