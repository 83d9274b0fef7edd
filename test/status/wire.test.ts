import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { OpenApi } from '../../src/status/wire/field.ts'
import { appFields, mappingFields, readAppStatus, readMappingStatus, STATUS_WIRE } from '../../src/status/wire/wire.ts'

/** What the schema of the table allows, as it stands in an object; with every field when `whole`. */
function json(schema: OpenApi, whole: boolean): fc.Arbitrary<unknown> {
  const { type, format, items, properties } = schema
  if (schema.enum !== undefined) return fc.constantFrom(...(schema.enum as string[]))
  if (type === 'integer') return fc.nat()
  if (type === 'array') return fc.array(json(items as OpenApi, whole), { maxLength: 3 })
  if (type === 'object') {
    const fields = Object.entries(properties as Record<string, OpenApi>).map(([name, each]) => [
      name,
      json(each, whole),
    ])
    // fast-check gives objects without a prototype.
    return fc.record(Object.fromEntries(fields), whole ? {} : { requiredKeys: [] }).map((made) => structuredClone(made))
  }
  assert.equal(type, 'string')
  const time = fc.nat({ max: 4_000_000_000 }).map((seconds) => new Date(seconds * 1000).toISOString())
  return format === 'date-time' ? time.map((iso) => iso.replace('.000Z', 'Z')) : fc.string({ maxLength: 8 })
}

const APP = STATUS_WIRE.ServerPilotApp.schema
const MAPPING = STATUS_WIRE.DomainMapping.schema
const app = json(APP, false).map(readAppStatus)
const mapping = json(MAPPING, false).map(readMappingStatus)

describe('the wire form of a status', () => {
  test('what is written is read as it was', () => {
    fc.assert(fc.property(app, (status) => assert.deepEqual(readAppStatus(appFields(status)), status)))
    fc.assert(fc.property(mapping, (status) => assert.deepEqual(readMappingStatus(mappingFields(status)), status)))
  })

  test('every field of the schema is read and written', () => {
    fc.assert(fc.property(json(APP, true), (raw) => assert.deepEqual(appFields(readAppStatus(raw)), raw)))
    fc.assert(fc.property(json(MAPPING, true), (raw) => assert.deepEqual(mappingFields(readMappingStatus(raw)), raw)))
  })

  test('a patch names every field of the schema, and takes out what is not there any more, but for lists', () => {
    fc.assert(
      fc.property(app, (status) => {
        const { certificate, plan, ...rest } = appFields(status)
        assert.deepEqual(
          Object.keys({ certificate, plan, ...rest }).sort(),
          Object.keys(APP.properties as object).sort(),
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
