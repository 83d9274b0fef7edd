import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { EventApi, NewEvent } from '../../../src/kubernetes/api.ts'
import { createEventApi } from '../../../src/kubernetes/client-apis.ts'
import { quiet } from '../../../src/log/quiet.ts'
import { createRecorder, eventNote, MAX_NOTE_BYTES, type ObjectHappening } from '../../../src/status/cluster/events.ts'
import { systemClock } from '../../../src/time/clock.ts'
import { apiServer, until } from '../../kubernetes/api-server.ts'
import { fakeClock } from '../../time/fake-clock.ts'

const REFUSED = Array.from({ length: 120 }, (_, i) => `kunde-${i + 1}.bücher.example`)
const MINUTE = 60_000

function world() {
  const clock = fakeClock({ start: Date.UTC(2026, 0, 15) })
  const created: NewEvent[] = []
  const patched: { name: string; count: number; lastAt: number }[] = []
  const lines: { message: string; fields: unknown }[] = []
  let answer: Error | undefined
  const api: EventApi = {
    async create(event) {
      if (answer !== undefined) throw answer
      created.push(event)
    },
    async patchSeries(_namespace, name, series) {
      if (answer !== undefined) throw answer
      if (expired) throw failure(404, 'gone')
      patched.push({ name, ...series })
    },
  }
  const write = (message: string, fields?: unknown) => void lines.push({ message, fields })
  const log = { ...quiet, debug: write, info: write, warn: write, error: write }
  let may = true
  let expired = false
  const recorder = createRecorder({
    api,
    instance: 'pod-a',
    clock,
    log,
    assertMayWrite() {
      if (!may) throw new Error('not leading')
    },
  })
  return {
    created,
    patched,
    lines,
    later: clock.advance,
    answers(error: Error | undefined) {
      answer = error
    },
    depose() {
      may = false
    },
    expire() {
      expired = true
    },
    async happens(more: Partial<ObjectHappening> = {}) {
      recorder.record({ kind: 'ServerPilotApp', key: 'wordpress/network', reason: 'SyncFailed', note: 'Why.', ...more })
      await recorder.flush(1000)
    },
  }
}

const failure = (code: number, message: string) => Object.assign(new Error(message), { code })

test('event-note-too-long: at most 1,024 bytes, cut between characters, with how many more', () => {
  const note = eventNote('120 removals wait for approval', REFUSED)
  assert.ok(Buffer.byteLength(note) <= MAX_NOTE_BYTES)
  const shown = note.match(/kunde-/g)?.length ?? 0
  assert.ok(note.endsWith(` … and ${120 - shown} more`), note.slice(-60))
  assert.ok(shown > 30)
  assert.equal(eventNote('Two', ['a.example', 'b.example']), 'Two: a.example, b.example')
  assert.equal(eventNote('Two.', ['a.example', 'b.example']), 'Two: a.example, b.example')

  const plain = eventNote(REFUSED.join(', '))
  assert.ok(Buffer.byteLength(plain) <= MAX_NOTE_BYTES)
  assert.match(plain, / … \(\d+ more characters\)$/)
})

test('event-note-too-long: for every text', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 1500, size: 'max' }),
      fc.array(fc.string({ unit: 'binary', maxLength: 300, size: 'max' }), { maxLength: 40 }),
      (text, names) => {
        const note = eventNote(text, names)
        assert.ok(Buffer.byteLength(note) <= MAX_NOTE_BYTES)
        assert.ok(!note.isWellFormed() || !note.includes('\ufffd') || [text, ...names].join('').includes('\ufffd'))
      },
    ),
    { numRuns: 300 },
  )
})

test('the same within 10 minutes goes into the series, something else or later is a new Event', async () => {
  const { happens, later, created, patched } = world()
  await happens()
  later(MINUTE)
  await happens()
  later(9 * MINUTE)
  await happens()
  await happens({ note: 'Something else.' })
  await happens({ key: 'wordpress/other' })
  assert.deepEqual(
    patched.map(({ count }) => count),
    [2, 3],
  )
  assert.equal(patched[0]?.name, created[0]?.name)
  assert.equal(created.length, 3)
  later(10 * MINUTE)
  await happens()
  assert.equal(created.length, 4)
  assert.deepEqual(new Set(created.map(({ namespace }) => namespace)), new Set(['wordpress']))
  assert.equal(new Set(created.map(({ name }) => name)).size, 4)
})

test('an object has 25 at once and one every 5 minutes; what was not told counts in the next', async () => {
  const { happens, later, created, patched } = world()
  for (let i = 0; i < 60; i++) await happens({ note: `No ${i}` })
  assert.equal(created.length, 25)
  await happens({ key: 'wordpress/other' })
  assert.equal(created.length, 26)
  later(5 * MINUTE)
  await happens({ note: 'No 0' })
  await happens({ note: 'No 0' })
  later(5 * MINUTE)
  await happens({ note: 'No 0' })
  assert.deepEqual(
    patched.map(({ count }) => count),
    [2, 4],
  )
})

test('a quiet object saves up no more than 25', async () => {
  const { happens, later, created } = world()
  await happens()
  later(120 * MINUTE)
  for (let i = 0; i < 30; i++) await happens({ note: `No ${i}` })
  assert.equal(created.length, 26)
})

test('a rejected Event is logged; the next one is written', async () => {
  const { happens, answers, lines, created } = world()
  answers(failure(422, 'note: too long'))
  await happens()
  assert.deepEqual(
    lines.map(({ message }) => message),
    ['An Event could not be written'],
  )
  answers(undefined)
  await happens({ note: 'Next.' })
  assert.equal(created.length, 1)
})

test('secret-gone-before-the-finalizer: a namespace that is being deleted takes no Events, and that is no error', async () => {
  const { happens, answers, lines } = world()
  answers(
    failure(
      403,
      'events "x" is forbidden: unable to create new content in namespace drop because it is being terminated',
    ),
  )
  await happens()
  assert.deepEqual(lines, [])
  answers(failure(403, 'events is forbidden: User "u" cannot create resource "events"'))
  await happens({ note: 'Other.' })
  assert.equal(lines.length, 1)
})

test('an Event that has expired meanwhile is made anew', async () => {
  const { happens, expire, created, patched, lines } = world()
  await happens()
  expire()
  await happens()
  assert.equal(created.length, 2)
  assert.notEqual(created[1]?.name, created[0]?.name)
  assert.deepEqual(patched, [])
  assert.deepEqual(lines, [])
})

test('who leads no longer writes no Events', async () => {
  const { happens, depose, created } = world()
  depose()
  await happens()
  assert.equal(created.length, 0)
})

test('Events on a real API server', { timeout: 60_000 }, async (t) => {
  const server = await apiServer(t)
  if (server === undefined) return
  const namespace = await server.namespace('events')
  const lines: unknown[] = []
  const write = (message: string, fields?: unknown) => void lines.push({ message, fields })
  const log = { ...quiet, debug: write, info: write, warn: write, error: write }
  const recorder = createRecorder({
    api: createEventApi(server.admin),
    instance: 'domainpilot-7c9d-x2x',
    clock: systemClock,
    log,
    assertMayWrite() {},
  })
  const refused: ObjectHappening = {
    kind: 'ServerPilotApp',
    key: `${namespace}/network`,
    uid: '4a6f0b1e-0000-4000-8000-000000000000',
    reason: 'RemovalRefused',
    note: '120 removals wait for approval',
    names: REFUSED,
  }
  for (let i = 0; i < 3; i++) recorder.record(refused)
  recorder.record({ ...refused, reason: 'SyncFailed', note: REFUSED.join(', '), names: [] })
  await recorder.flush(10_000)
  assert.deepEqual(lines, [])

  const { items } = await server.admin.events.listNamespacedEvent({ namespace })
  assert.equal(items.length, 2)
  const event = items.find(({ reason }) => reason === 'RemovalRefused')
  assert.equal(event?.series?.count, 3)
  assert.equal(event?.type, 'Warning')
  assert.equal(event?.regarding?.name, 'network')
  assert.match(event?.note ?? '', /and \d+ more$/)
  assert.ok(Buffer.byteLength(event?.note ?? '') <= 1024)

  // A finalizer keeps it in the state of being deleted.
  const drop = await server.namespace('drop')
  await server.admin.core.deleteNamespace({ name: drop })
  await until('it is being deleted', async () => {
    const { status } = await server.admin.core.readNamespace({ name: drop })
    return status?.phase === 'Terminating'
  })
  recorder.record({ ...refused, key: `${drop}/network` })
  await recorder.flush(10_000)
  assert.deepEqual(lines, [])
})
