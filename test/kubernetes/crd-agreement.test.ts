import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeObject } from '../../src/api/decode.ts'
import { formatFault } from '../../src/api/faults.ts'
import { KINDS, type Kind } from '../../src/api/schema.ts'
import type { OpenApi } from '../../src/status/wire/field.ts'
import { type ApiServer, apiServer } from './api-server.ts'
import { API_VERSION, create, type Spec } from './crd-samples.ts'
import { schemaOf } from './crd-schema.ts'

/** What the decoder takes the API server takes; what the API server takes the decoder takes, as it was stored. */

/** Values near to what a field takes: right ones, those at its bounds, and now and then something else. */
function near(schema: OpenApi): fc.Arbitrary<unknown> {
  return fc.oneof({ arbitrary: right(schema), weight: 40 }, { arbitrary: fc.jsonValue({ maxDepth: 1 }), weight: 1 })
}

function right(schema: OpenApi): fc.Arbitrary<unknown> {
  if (Array.isArray(schema.enum)) return fc.constantFrom(...(schema.enum as unknown[]))
  switch (schema.type) {
    case 'object':
      return schema.properties === undefined ? labels() : object(schema)
    case 'array':
      return fc.array(near(schema.items as OpenApi), { maxLength: 2 })
    case 'boolean':
      return fc.boolean()
    case 'integer':
      return edges(schema.minimum as number, schema.maximum as number)
    default:
      return text(schema)
  }
}

const labels = () => fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.string({ maxLength: 5 }), { maxKeys: 2 })

const edges = (min: number, max: number) =>
  fc.oneof(
    { arbitrary: fc.integer({ min, max }), weight: 8 },
    { arbitrary: fc.constantFrom(min, max), weight: 3 },
    { arbitrary: fc.constantFrom(min - 1, max + 1, min + 0.5), weight: 1 },
  )

function text(schema: OpenApi): fc.Arbitrary<unknown> {
  const { pattern, maxLength } = schema as { pattern?: string; maxLength?: number }
  const long = maxLength === undefined ? [] : [fc.constantFrom('a'.repeat(maxLength), 'a'.repeat(maxLength + 1))]
  if (pattern?.includes('ms')) return duration()
  if (maxLength === ADDRESS_LENGTH) return address()
  if (pattern?.includes('#$')) return hostPattern()
  const usual =
    pattern === undefined
      ? fc.constantFrom('a', '192.0.2.0/24', 'ü.example', '*')
      : fc.stringMatching(new RegExp(pattern), { maxLength: 20 })
  return fc.oneof({ arbitrary: usual, weight: 20 }, fc.string({ unit: 'binary', maxLength: 5 }), ...long)
}

/** No other text has this bound. */
const ADDRESS_LENGTH = 49

const address = () =>
  fc
    .tuple(
      fc.oneof(
        { arbitrary: fc.oneof(fc.ipV4(), fc.ipV6()), weight: 9 },
        fc.constantFrom(
          '010.0.0.1',
          '1.2.3',
          'fe80::1%eth0',
          '::FFFF:192.0.2.1',
          '0:0::ffff:1:2',
          '::ffff:x',
          'a.example',
        ),
      ),
      fc.oneof(
        { arbitrary: fc.constant(''), weight: 3 },
        fc.constantFrom('/0', '/24', '/32', '/33', '/128', '/129', '/08', '/', '/a', '/8/8', ' '),
      ),
    )
    .map((parts) => parts.join(''))

const hostPattern = () =>
  fc.oneof(
    { arbitrary: fc.constantFrom('network.example', '*.ü.example', ' Home.Example. ', '*.de', '*'), weight: 30 },
    fc.constantFrom('home.example/', 'https://home.example', 'home.example:443', '*example.org', 'a,b', 'com', ''),
  )

const duration = () =>
  fc
    .array(
      fc.tuple(
        fc.constantFrom('0', '1', '1.5', '007', '30', '8760', '8761', '99999999999'),
        fc.constantFrom('h', 'm', 's', 'ms'),
      ),
      {
        minLength: 1,
        maxLength: 2,
      },
    )
    .map((parts) => parts.flat().join(''))

/** Fields at random, the required ones mostly, an unknown one seldom. */
function object(schema: OpenApi): fc.Arbitrary<unknown> {
  const needed = (schema.required ?? []) as string[]
  const absent = Symbol('absent')
  const fields = Object.entries(schema.properties as Record<string, OpenApi>).map(
    ([name, inner]) =>
      [
        name,
        fc.oneof(
          { arbitrary: near(inner), weight: needed.includes(name) ? 60 : 1 },
          { arbitrary: fc.constant(absent), weight: 1 },
        ),
      ] as const,
  )
  const strange = fc.oneof({ arbitrary: fc.constant(absent), weight: 60 }, { arbitrary: fc.integer(), weight: 1 })
  return fc
    .record({ ...Object.fromEntries(fields), strange })
    .map((value) => Object.fromEntries(Object.entries(value).filter(([, each]) => each !== absent)))
}

/** What the API server leaves to the daemon: whether a text is an IPv4 address in the form of IPv6, and what a host name is. */
const ONLY_OURS =
  /^spec\.dns\.expectedAddresses\[\d+\] must be an IP address .*:ffff:|^spec\.(?:protected|allowed)Domains\[\d+\] is not a valid host name/i

test('the decoder and the API server are of one opinion about any spec', async (t) => {
  const server = await apiServer(t)
  if (server === undefined) return
  const namespace = await server.namespace('crd')
  const counts = { taken: 0, refused: 0, 'refused by us alone': 0 }

  const decode = (kind: Kind, spec: unknown) =>
    decodeObject({ apiVersion: API_VERSION, kind, metadata: { name: 'a' }, spec }, { place: 'a', source: 'kubernetes' })

  async function agree(kind: Kind, spec: Spec): Promise<void> {
    const ours = decode(kind, spec)
    const theirs = await create(server as ApiServer, namespace, { kind, metadata: { name: 'a' }, spec }, true).catch(
      (error: { code?: number; message: string }) => {
        assert.ok(error.code === 400 || error.code === 422, error.message)
        return error.message
      },
    )
    if (typeof theirs === 'string') {
      assert.ok(!ours.ok, theirs)
      counts.refused++
      return
    }
    // What it stores is what the daemon reads: nothing for a field (null) has become its default there.
    const stored = decode(kind, theirs.spec)
    if (!stored.ok)
      assert.deepEqual(
        stored.faults.map(formatFault).filter((fault) => !ONLY_OURS.test(fault)),
        [],
      )
    else if (ours.ok) assert.deepEqual(stored.object, ours.object)
    counts[stored.ok ? 'taken' : 'refused by us alone']++
  }

  for (const kind of KINDS)
    await fc.assert(
      fc.asyncProperty(right(schemaOf(kind, 'spec')), async (spec) => await agree(kind, spec as Spec)),
      { numRuns: 300 },
    )
  t.diagnostic(JSON.stringify(counts))
  assert.ok(counts.taken > 100 && counts.refused > 50)
})
