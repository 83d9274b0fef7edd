import assert from 'node:assert/strict'
import { createServer, type ServerResponse } from 'node:http'
import { describe, type TestContext, test } from 'node:test'
import type { KubernetesError } from '../../src/kubernetes/http.ts'
import { createReflector } from '../../src/kubernetes/reflector.ts'
import { createCache } from '../../src/kubernetes/reflector-cache.ts'
import { jsonLines } from '../../src/kubernetes/reflector-events.ts'
import { fakeClock } from '../time/fake-clock.ts'
import { until } from './api-server.ts'
import { connectToFake } from './fake-cluster.ts'

const MIB = 2 ** 20
const PATH = '/apis/domainpilot.dev/v1alpha1/domainmappings'

/** A server that answers with whatever a test wants, and a connection to it on a clock that the test turns. */
async function setUp(t: TestContext, answer: (query: URLSearchParams, response: ServerResponse) => void) {
  const queries: URLSearchParams[] = []
  const answers: ServerResponse[] = []
  const server = createServer((request, response) => {
    const query = new URL(request.url ?? '', 'http://fake').searchParams
    queries.push(query)
    answers.push(response)
    answer(query, response)
  })
  const clock = fakeClock()
  const { connection, close } = await connectToFake(server, { user: { token: 'secret' }, clock })
  const reflector = createReflector<string>({
    ...{ connection, clock, path: PATH, random: () => 0.01, changed() {} },
    decode: (_object, _previous, key) => key,
  })
  t.after(async () => {
    await reflector.stop()
    await close()
  })
  const allClosed = () => answers.every((each) => each.destroyed)
  return { connection, reflector, clock, queries, allClosed }
}

/** Writes a piece, and another one as soon as there is room for it or after `everyMs`, for as long as somebody listens. */
function endless(response: ServerResponse, piece: string | Buffer, everyMs?: number): void {
  const more = () => {
    if (response.destroyed) return
    response.write(piece, () => (everyMs === undefined ? setImmediate(more) : setTimeout(more, everyMs)))
  }
  more()
}

const failureOf = (call: Promise<unknown>): Promise<KubernetesError> =>
  call.then(
    () => assert.fail('it should have failed'),
    (error: KubernetesError) => error,
  )

const added = (name: string, version: number) => ({
  type: 'ADDED',
  object: { metadata: { namespace: 'ns', name, resourceVersion: String(version) } },
})
const END = {
  type: 'BOOKMARK',
  object: { metadata: { resourceVersion: '9', annotations: { 'k8s.io/initial-events-end': 'true' } } },
}
const line = (value: object): string => `${JSON.stringify(value)}\n`

describe('huge-and-endless-answers', () => {
  test('an answer that grows is read up to 8 MiB, and its connection closed', async (t) => {
    const { connection, allClosed } = await setUp(t, (_query, response) => endless(response, Buffer.alloc(MIB, 0x20)))
    const error = await failureOf(connection.json(PATH))
    assert.deepEqual([error.reason, error.code], ['TooLarge', undefined])
    assert.match(error.message, /larger than 8 MiB/)
    await until('the connection is closed', allClosed)
  })

  test('an answer that drips ends in time', async (t) => {
    const { connection, clock, queries, allClosed } = await setUp(t, (_query, response) => endless(response, ' ', 5))
    const failed = failureOf(connection.json(PATH))
    await until('it drips', () => queries.length === 1)
    clock.advance(20_000)
    assert.equal((await failed).reason, 'Timeout')
    await until('the connection is closed', allClosed)
  })

  for (const code of [401, 403, 500])
    test(`a refusal (${code}) with words without an end`, async (t) => {
      const { connection, allClosed } = await setUp(t, (_query, response) => {
        response.writeHead(code)
        endless(response, Buffer.alloc(MIB, 0x20))
      })
      assert.equal((await failureOf(connection.json(PATH))).code, code)
      assert.equal((await failureOf(connection.raw(PATH))).code, code)
      await until('the connections are closed', allClosed)
    })

  test('a refusal whose words drip is told without them', async (t) => {
    const { connection, clock, queries, allClosed } = await setUp(t, (_query, response) => {
      response.writeHead(403)
      endless(response, ' ', 5)
    })
    const failed = [failureOf(connection.json(PATH)), failureOf(connection.raw(PATH))]
    await until('they drip', () => queries.length === 2 && clock.pending() === 3)
    clock.advance(5000)
    for (const error of await Promise.all(failed)) assert.deepEqual([error.code, error.reason], [403, 'Forbidden'])
    await until('the connections are closed', allClosed)
  })

  test('a line of a watch without an end, in pieces of any size', async () => {
    for (const size of [256, 65_536]) {
      let bytes = 0
      const pieces = async function* () {
        for (;;) {
          bytes += size
          yield Buffer.alloc(size, 0x61)
        }
      }
      const before = process.memoryUsage().arrayBuffers
      await assert.rejects(async () => {
        for await (const { values } of jsonLines(pieces())) if (values.length > 0) assert.fail('there is no line')
      }, /a line is longer than 8 MiB/)
      assert.ok(bytes <= 8 * MIB + size)
      assert.ok(process.memoryUsage().arrayBuffers - before < 64 * MIB)
    }
  })

  test('lines that are cut anywhere are put together again', async () => {
    const text = Buffer.from(`${line({ name: 'αθήνα' })}\n${line({ name: 'b' })}`)
    for (const size of [1, 3, 7, text.length]) {
      const pieces = async function* () {
        for (let at = 0; at < text.length; at += size) yield text.subarray(at, at + size)
      }
      const found: unknown[] = []
      for await (const { values } of jsonLines(pieces())) found.push(...values)
      assert.deepEqual(found, [{ name: 'αθήνα' }, { name: 'b' }])
    }
  })

  test('a line that drips is no sign of life: the watch is given up after 30 seconds', async (t) => {
    const { reflector, clock, queries } = await setUp(t, (query, response) => {
      if (query.get('watch') === null) return response.end('{"metadata":{"resourceVersion":"9"},"items":[]}')
      if (queries.length > 1) return response.write(line(added('b', 10)))
      response.write(line(added('a', 1)) + line(END))
      return endless(response, ' ', 5)
    })
    await reflector.start()
    await until('it is opened again', () => {
      clock.advance(1000)
      return reflector.records().has('ns/b')
    })
    assert.ok(clock.steady() < 100_000, `after ${clock.steady()} ms`)
    assert.equal(queries[1]?.get('resourceVersion'), '9')
  })

  test('a list without an end is given up after ten minutes, and says so', async (t) => {
    const { reflector, clock, queries } = await setUp(t, (query, response) => {
      if (query.get('limit') === null) endless(response, line(added('a', 1)), 5)
      else response.end(JSON.stringify({ metadata: { resourceVersion: '9', continue: 'more' }, items: [] }))
    })
    const started = reflector.start()
    await until('it gives up', () => {
      clock.advance(10_000)
      return reflector.failure()?.includes('has not come to its end within 10 minutes') ?? false
    })
    await started
    assert.equal(reflector.hasSynced(), false)
    await until('pages without an end as well', () => {
      clock.advance(10_000)
      return clock.steady() > 1_300_000
    })
    assert.match(reflector.failure() ?? '', /domainmappings: the list has not come to its end within 10 minutes/)
    assert.equal(queries.at(-1)?.get('limit'), '500')
  })

  test('objects that make pages too large are read in smaller ones', async (t) => {
    const limits: string[] = []
    const { reflector } = await setUp(t, (query, response) => {
      const limit = query.get('limit')
      if (limit === null) {
        if (query.get('sendInitialEvents') === null) return response.write('\n')
        return response.writeHead(422).end('{"kind":"Status","reason":"Invalid","message":"no streams"}')
      }
      limits.push(limit)
      const name = query.get('continue') ?? 'first'
      if (Number(limit) > 100) return endless(response, Buffer.alloc(MIB, 0x20))
      const metadata = { resourceVersion: '9', ...(name === 'first' ? { continue: 'second' } : {}) }
      return response.end(JSON.stringify({ metadata, items: [added(name, 1).object] }))
    })
    await reflector.start()
    assert.deepEqual(limits, ['500', '125', '32', '32'])
    assert.deepEqual([...reflector.records().keys()], ['ns/first', 'ns/second'])
  })

  test('more objects than any daemon holds', () => {
    const cache = createCache((_object, _previous: undefined, _key) => undefined)
    const stage = (key: string) => cache.stage({ key, version: '1', object: {} }, 'put')
    for (let count = 0; count < 200_000; count++) stage(`ns/${count}`)
    stage('ns/0')
    assert.throws(() => stage('ns/one-more'), /there are more than 200000 objects/)
  })
})
