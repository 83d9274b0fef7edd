import assert from 'node:assert/strict'
import { createServer, type ServerResponse } from 'node:http'
import { describe, type TestContext, test } from 'node:test'
import { createReflector, type ReflectorOptions } from '../../src/kubernetes/reflector.ts'
import { systemClock } from '../../src/time/clock.ts'
import { until } from './api-server.ts'
import { connectToFake } from './fake-cluster.ts'

const PATH = '/apis/domainpilot.dev/v1alpha1/domainmappings'

/** One request that the fake got, with the means to answer it. */
interface Request {
  query: URLSearchParams
  response: ServerResponse
  /** Writes lines of a watch, as text or as events. */
  lines(...lines: (string | object)[]): void
}

const object = (name: string, version: number, value = '') => ({
  metadata: { namespace: 'ns', name, resourceVersion: String(version) },
  value,
})
const added = (name: string, version: number, value = '') => ({ type: 'ADDED', object: object(name, version, value) })
const initialEnd = (version: number) => ({
  type: 'BOOKMARK',
  object: { metadata: { resourceVersion: String(version), annotations: { 'k8s.io/initial-events-end': 'true' } } },
})

/** A reflector against a fake server, whose answers are written one per request, the last one for all further ones. */
async function setUp(
  t: TestContext,
  answers: ((request: Request) => void)[],
  options: Partial<ReflectorOptions<string>> = {},
) {
  const requests: Request[] = []
  const server = createServer((incoming, response) => {
    const query = new URL(incoming.url ?? '', 'http://fake').searchParams
    const lines = (...all: (string | object)[]) => {
      for (const line of all) response.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`)
    }
    const request = { query, response, lines }
    requests.push(request)
    response.setHeader('content-type', 'application/json')
    answers[Math.min(requests.length, answers.length) - 1]?.(request)
  })
  const { connection, close } = await connectToFake(server)
  const told: string[][] = []
  const reflector = createReflector<string>({
    connection,
    clock: systemClock,
    path: PATH,
    decode: (value) => (value as { value: string }).value,
    same: (before, after) => before === after,
    changed: (keys) => void told.push([...keys].sort()),
    random: () => 0.01,
    ...options,
  })
  t.after(async () => {
    await reflector.stop()
    await close()
  })
  return { reflector, requests, told, keys: () => [...reflector.records().keys()].sort() }
}

function status(code: number, reason: string, message: string, headers: Record<string, string> = {}) {
  return ({ response }: Request) => {
    response.writeHead(code, headers)
    response.end(JSON.stringify({ kind: 'Status', code, reason, message }))
  }
}

const list =
  (version: number) =>
  ({ response }: Request) =>
    response.end(JSON.stringify({ metadata: { resourceVersion: String(version) }, items: [] }))

describe('reflector', () => {
  test('streams everything, then watches; tells of what differs', async (t) => {
    const { reflector, requests, told, keys } = await setUp(t, [
      ({ lines }) => lines(added('a', 1), added('b', 2), initialEnd(3)),
    ])
    await reflector.start()
    const { query } = requests[0] as Request
    assert.equal(query.get('sendInitialEvents'), 'true')
    assert.equal(query.get('resourceVersionMatch'), 'NotOlderThan')
    assert.equal(query.get('allowWatchBookmarks'), 'true')
    assert.ok(Number(query.get('timeoutSeconds')) >= 240 && Number(query.get('timeoutSeconds')) < 290)
    assert.deepEqual(keys(), ['ns/a', 'ns/b'])
    assert.deepEqual(told, [['ns/a', 'ns/b']])
    requests[0]?.lines(
      { type: 'DELETED', object: object('a', 4) },
      { type: 'MODIFIED', object: object('b', 5) },
      added('c', 6),
    )
    await until('the changes are served', () => keys().join() === 'ns/b,ns/c')
    assert.deepEqual([...new Set(told.slice(1).flat())].sort(), ['ns/a', 'ns/c'], 'b says the same as before')
  })

  test('a server without streams is read in pages of 500, then watched', async (t) => {
    const { reflector, requests, keys } = await setUp(t, [
      status(422, 'Invalid', 'sendInitialEvents is forbidden'),
      ({ response }) =>
        response.end(JSON.stringify({ metadata: { resourceVersion: '9', continue: 'next' }, items: [object('a', 1)] })),
      ({ response }) => response.end(JSON.stringify({ metadata: { resourceVersion: '9' }, items: [object('b', 2)] })),
      ({ lines }) => lines(added('c', 10)),
    ])
    await reflector.start()
    await until('the watch is open', () => keys().join() === 'ns/a,ns/b,ns/c')
    assert.deepEqual(
      requests.map(({ query }) => [query.get('limit'), query.get('continue'), query.get('resourceVersion')]),
      [
        [null, null, null],
        ['500', null, null],
        ['500', 'next', null],
        [null, null, '9'],
      ],
    )
  })

  for (const [what, line] of [
    ['is no JSON', '{"type":"ADDED","object":{"metadata":{"na'],
    ['is not a valid event', '{"type":"NEWS"}'],
    ['is an object without a name', { type: 'ADDED', object: { metadata: {} } }],
    ['is an error that hides an object', { type: 'ERROR', object: { code: 500, message: 'unable to decode' } }],
    [
      'says that the version is too old',
      { type: 'ERROR', object: { code: 410, reason: 'Expired', message: 'too old' } },
    ],
  ] as const) {
    test(`a line that ${what}: everything is read again, and what vanished goes`, async (t) => {
      const { reflector, requests, told, keys } = await setUp(t, [
        ({ lines }) => lines(added('a', 1), added('b', 2), initialEnd(3)),
        ({ lines }) => lines(added('b', 2), added('c', 5), initialEnd(6)),
      ])
      await reflector.start()
      requests[0]?.lines(line, added('never', 5))
      await until('it was read again', () => keys().join() === 'ns/b,ns/c')
      assert.equal(requests.length, 2)
      assert.equal(reflector.failure(), undefined)
      assert.deepEqual(told.at(-1), ['ns/a', 'ns/c'])
    })
  }

  test('a receiver that throws is told again, after everything was read again', async (t) => {
    const calls: string[][] = []
    const { reflector, requests } = await setUp(t, [({ lines }) => lines(added('a', 1), initialEnd(3))], {
      changed(keys) {
        calls.push([...keys])
        if (calls.length === 1) throw new Error('not now')
      },
    })
    await reflector.start()
    await until('it is told again', () => calls.length === 2)
    assert.deepEqual(calls, [['ns/a'], ['ns/a']])
    assert.equal(requests.length, 2)
  })

  test('a decoder that throws fails the source', async (t) => {
    const { reflector } = await setUp(t, [({ lines }) => lines(added('a', 1), initialEnd(3))], {
      decode() {
        throw new Error('broken')
      },
    })
    await reflector.start()
    assert.match(reflector.failure() ?? '', /ns\/a cannot be decoded/)
    assert.equal(reflector.hasSynced(), false)
  })

  test('refused or absent: says what to do', async (t) => {
    const causes: string[] = []
    const { reflector } = await setUp(
      t,
      [
        status(403, 'Forbidden', 'User "x" cannot watch resource "domainmappings"'),
        ({ response }) => response.writeHead(404).end('404 page not found'),
        ({ lines }) => lines(initialEnd(3)),
      ],
      { log: (_level, _message, { cause }) => void causes.push(String(cause)) },
    )
    await reflector.start()
    await until('it reads', () => reflector.failure() === undefined)
    assert.match(causes[0] ?? '', /cannot watch resource "domainmappings": grant get, list and watch on domainmappings/)
    assert.match(causes[1] ?? '', /domainpilot crds \| kubectl apply -f -/)
  })

  test('429 waits as long as it says', async (t) => {
    const { reflector } = await setUp(t, [
      status(429, 'TooManyRequests', 'later', { 'retry-after': '1' }),
      ({ lines }) => lines(initialEnd(3)),
    ])
    const from = performance.now()
    await reflector.start()
    await until('it reads', () => reflector.failure() === undefined)
    assert.ok(performance.now() - from >= 990)
  })

  test('a watch that falls silent is opened again from where it was', async (t) => {
    const { reflector, requests } = await setUp(
      t,
      [({ lines }) => lines(initialEnd(3)), ({ lines }) => lines(added('a', 4)), list(4)],
      {
        silence: { collecting: 100, watching: 100 },
      },
    )
    await reflector.start()
    await until('it is open again', () => reflector.records().has('ns/a'))
    assert.equal(requests[1]?.query.get('resourceVersion'), '3')
  })

  test('a-watch-from-the-future: a watch that is taken and stays silent is not believed', async (t) => {
    const causes: string[] = []
    const { reflector, requests, keys } = await setUp(
      t,
      [
        ({ lines }) => lines(added('a', 1), added('b', 2), initialEnd(30)),
        ({ lines }) => lines(''),
        list(20),
        ({ lines }) => lines(added('a', 1), added('c', 20), initialEnd(21)),
        ({ lines }) => lines(added('a', 1), added('c', 20), initialEnd(21)),
      ],
      { log: (_level, _message, { cause }) => void causes.push(String(cause)), random: () => 0 },
    )
    await reflector.start()
    requests[0]?.response.destroy()
    await until('nothing goes at once', () => keys().join() === 'ns/a,ns/b,ns/c')
    assert.match(causes[0] ?? '', /went back from version 30 to 20/)
    const { query } = requests[2] as Request
    assert.deepEqual([query.get('limit'), query.get('resourceVersion'), query.get('watch')], ['1', null, null])
    await until('what is gone goes', () => keys().join() === 'ns/a,ns/c')
    assert.deepEqual([reflector.failure(), reflector.rereads()], [undefined, 1])
  })

  test('after stop nothing is written any more', async (t) => {
    const { reflector, requests, told, keys } = await setUp(t, [({ lines }) => lines(added('a', 1), initialEnd(3))])
    await reflector.start()
    requests[0]?.lines(added('b', 4))
    await reflector.stop()
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.deepEqual(keys(), ['ns/a'])
    assert.equal(told.length, 1)
  })
})
