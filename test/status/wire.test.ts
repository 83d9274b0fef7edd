import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  type AppWire,
  appFields,
  type MappingWire,
  mappingFields,
  readAppStatus,
  readMappingStatus,
  STATUS_WIRE,
} from '../../src/status/wire/wire.ts'

/** fast-check gives objects without a prototype. */
const plain = <T>(value: T): T => structuredClone(value)

const text = fc.string({ maxLength: 8 })
const texts = fc.array(text, { maxLength: 3 })
const count = fc.nat()
/** Whole seconds: more is not written. */
const time = fc.nat({ max: 4_000_000_000 }).map((seconds) => seconds * 1000)
const maybe = <T>(fields: { [N in keyof T]: fc.Arbitrary<T[N]> }) => fc.record<T>(fields, { requiredKeys: [] })
const joined = <A, B>(one: fc.Arbitrary<A>, other: fc.Arbitrary<B>) =>
  fc.tuple(one, other).map(([a, b]) => ({ ...a, ...b }))

const conditions = fc.array(
  fc.record({
    type: text,
    status: fc.constantFrom('True' as const, 'False' as const, 'Unknown' as const),
    reason: text,
    message: text,
    observedGeneration: count,
    lastTransitionTime: time,
  }),
  { maxLength: 3 },
)
const app = joined(
  fc.record({
    observedGeneration: count,
    ownedDomains: texts,
    domains: fc.record({ desired: count, observed: count, owned: count, foreign: count }),
    conditions,
  }),
  maybe({
    plan: fc.record({ hash: text, removals: texts, reason: text, message: text }),
    certificate: joined(fc.record({ covered: texts, uncovered: texts }), maybe({ notAfter: time })),
    lastHandledReconcileAt: text,
  }),
) as fc.Arbitrary<AppWire>
const host = joined(
  fc.record({ name: text, state: fc.constantFrom('present' as const, 'foreign' as const) }),
  maybe({ addresses: texts, certificateNotAfter: time, message: text }),
)
const mapping = joined(
  fc.record({ observedGeneration: count, hosts: fc.array(host, { maxLength: 3 }), conditions }),
  maybe({ appId: text }),
) as fc.Arbitrary<MappingWire>

describe('the wire form of a status', () => {
  test('what is written is read as it was', () => {
    fc.assert(fc.property(app, (status) => assert.deepEqual(readAppStatus(appFields(status)), plain(status))))
    fc.assert(
      fc.property(mapping, (status) => assert.deepEqual(readMappingStatus(mappingFields(status)), plain(status))),
    )
  })

  test('a patch names every field of the schema, and takes out what is not there any more, but for lists', () => {
    fc.assert(
      fc.property(app, (status) => {
        const { certificate, plan, ...rest } = appFields(status)
        assert.deepEqual(
          Object.keys({ certificate, plan, ...rest }).sort(),
          Object.keys(STATUS_WIRE.ServerPilotApp.schema.properties as object).sort(),
        )
        assert.equal(plan === null, status.plan === undefined)
        if (status.certificate !== undefined)
          assert.equal(
            (certificate as { notAfter: unknown }).notAfter === null,
            status.certificate.notAfter === undefined,
          )
      }),
    )
    const fields = mappingFields({ observedGeneration: 1, hosts: [{ name: 'a', state: 'present' }], conditions: [] })
    assert.deepEqual(fields, {
      observedGeneration: 1,
      appId: null,
      hosts: [{ name: 'a', state: 'present' }],
      conditions: [],
    })
  })

  test('whatever stands there is read as a status, and what makes no sense is empty', () => {
    const empty = { observedGeneration: -1, hosts: [], conditions: [] }
    for (const raw of [undefined, null, 'x', [], {}, { hosts: [{ name: 'a' }], conditions: [{ type: 1 }] }])
      assert.deepEqual(readMappingStatus(raw), empty)
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const { domains } = readAppStatus(value)
        assert.deepEqual(Object.keys(domains), ['desired', 'observed', 'owned', 'foreign'])
      }),
    )
    const odd = { status: 'True', type: 'Ready', lastTransitionTime: 'yesterday' }
    assert.deepEqual(readAppStatus({ conditions: [odd], certificate: { notAfter: 'never' } }), {
      ...readAppStatus({}),
      certificate: { covered: [], uncovered: [] },
      conditions: [
        { type: 'Ready', status: 'True', reason: '', message: '', observedGeneration: -1, lastTransitionTime: 0 },
      ],
    })
  })
})
