import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from './api-server.ts'
import { condition, createWorld, type World } from './world.ts'

const REMOVED = 120
const names = Array.from({ length: REMOVED }, (_, index) => `kunde-${index + 1}`)
/** As ServerPilot has it: `kunde-1.bücher.example`. */
const hostOf = (name: string) => `${name}.xn--bcher-kva.example`

async function refusals({ server, namespace }: World) {
  const { items } = await server.admin.events.listNamespacedEvent({ namespace })
  return items.filter(({ reason }) => reason === 'RemovalRefused')
}

test('event-note-too-long: 120 removals that are refused make one Event that the API server takes', async (t) => {
  const world = await createWorld(t)
  if (world === undefined) return
  const map = (name: string) =>
    world.create('DomainMapping', name, { domain: `${name}.bücher.example`, appRef: { name: 'network' } })
  for (const name of [...names, 'bleibt']) await map(name)
  const daemon = world.daemon()
  await until('all are there', () => world.listed().length === REMOVED + 2, 60_000)
  const posts = world.posts()
  // In one go: all at once would be refused for another reason.
  await Promise.all(names.map((name) => world.unmap(name)))

  const removals = names.map(hostOf).sort()
  await until('the plan has all of them', async () => {
    const plan = (await world.read('ServerPilotApp', 'network'))?.status?.plan
    return plan?.removals.toSorted().join() === removals.join()
  })
  const message = await condition(world, 'ServerPilotApp', 'network', {
    type: 'Synced',
    reason: 'RemovalRefused',
    message: /120 removal/,
  })
  await until('an Event tells of them', async () =>
    (await refusals(world)).some(({ note }) => /120 removal/.test(note ?? '')),
  )
  const told = (await refusals(world)).filter(({ note }) => /120 removal/.test(note ?? ''))
  assert.equal(told.length, 1)
  const note = told[0]?.note ?? ''
  t.diagnostic(note)
  assert.ok(Buffer.byteLength(note) <= 1024, `${Buffer.byteLength(note)} bytes`)
  const more = Number(/ … and (\d+) more$/.exec(note)?.[1])
  const listed = removals.filter((host) => new RegExp(`[ ,]${host}(,| …)`).test(note)).length
  assert.equal(listed + more, REMOVED, 'whole names, and how many there are besides')
  assert.ok(note.isWellFormed())

  const inMessage = removals.filter((host) => message.includes(host)).length
  t.diagnostic(`${listed} names in the Event, ${inMessage} in the condition of ${message.length} characters`)
  assert.ok(inMessage > listed, 'the condition lists more')
  assert.ok(message.length < 32_768)
  assert.equal(world.posts(), posts)
  assert.doesNotMatch(daemon.log(), /An Event could not be written/)
})
