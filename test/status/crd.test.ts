import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { crdsYaml, customResourceDefinitions } from '../../src/status/crd.ts'
import type { OpenApi } from '../../src/status/wire/field.ts'

interface Version {
  name: string
  schema: { openAPIV3Schema: OpenApi & { properties: Record<string, OpenApi> } }
  subresources: unknown
  additionalPrinterColumns: { name: string }[]
  selectableFields?: unknown
}

function parts(index: number) {
  const crd = customResourceDefinitions()[index]
  assert.ok(crd)
  const spec = crd.spec as { names: Record<string, unknown>; versions: [Version] }
  return { crd, names: spec.names, version: spec.versions[0] }
}

function field(schema: OpenApi, ...path: string[]): OpenApi {
  return path.reduce(
    (at, name) => (at.properties as Record<string, OpenApi>)[name] ?? assert.fail(`no ${name}`),
    schema,
  )
}

describe('customResourceDefinitions', () => {
  test('names', () => {
    assert.deepEqual(
      customResourceDefinitions().map((crd) => crd.metadata.name),
      ['serverpilotapps.domainpilot.dev', 'domainmappings.domainpilot.dev'],
    )
    assert.deepEqual(parts(0).names.shortNames, ['spapp'])
    assert.deepEqual(parts(1).names.shortNames, ['dmap'])
    assert.deepEqual(parts(1).names.categories, ['domainpilot'])
    assert.equal(parts(1).version.name, 'v1alpha1')
    assert.deepEqual(parts(1).version.selectableFields, [
      { jsonPath: '.spec.appRef.name' },
      { jsonPath: '.spec.domain' },
    ])
    assert.deepEqual(parts(1).version.subresources, { status: {} })
  })

  test('fields keep type, default, bounds and description', () => {
    const spec = field(parts(0).version.schema.openAPIV3Schema, 'spec')
    assert.deepEqual(spec.required, ['appId'])
    assert.deepEqual(field(spec, 'policy').enum, ['Sync', 'UpsertOnly', 'Exclusive', 'Observe'])
    assert.equal(field(spec, 'policy').default, 'Sync')
    assert.deepEqual(field(spec, 'ssl').default, {})
    assert.equal(field(spec, 'ssl', 'retryInterval').default, '5m')
    assert.match('1h30m', new RegExp(String(field(spec, 'ssl', 'retryInterval').pattern)))
    assert.equal(field(spec, 'safety', 'maxRemovalPercent').maximum, 100)
    assert.match(JSON.stringify(field(spec, 'appId')['x-kubernetes-validations']), /self == oldSelf/)
    const mapping = parts(1).version.schema.openAPIV3Schema
    assert.equal(field(mapping, 'spec', 'domain').maxLength, 253)
    assert.deepEqual(field(mapping, 'status').default, { observedGeneration: -1 })
  })

  test('the schemas are structural: a type everywhere, and nothing that Kubernetes refuses', () => {
    const allowed =
      /^(type|description|default|enum|format|pattern|minLength|maxLength|minimum|maximum|minItems|maxItems|required|items|properties|additionalProperties|x-kubernetes-(validations|list-type|list-map-keys))$/
    const walk = (schema: OpenApi, at: string) => {
      assert.equal(typeof schema.type, 'string', `${at} has no type`)
      for (const key of Object.keys(schema)) assert.match(key, allowed, at)
      assert.ok(!(schema.properties && schema.additionalProperties), at)
      for (const [name, inner] of Object.entries((schema.properties ?? {}) as Record<string, OpenApi>))
        walk(inner, `${at}.${name}`)
      for (const inner of [schema.items, schema.additionalProperties]) if (inner) walk(inner as OpenApi, `${at}[]`)
      if (schema.type === 'array') assert.ok(schema.items, at)
    }
    for (const index of [0, 1]) walk(parts(index).version.schema.openAPIV3Schema, 'root')
  })

  test('as YAML, the same for every reader', () => {
    for (const version of ['1.1', '1.2'] as const) {
      const documents = parseAllDocuments(crdsYaml(), { version }).map((document) => document.toJS() as unknown)
      assert.deepEqual(documents, customResourceDefinitions())
    }
    assert.doesNotMatch(crdsYaml(), /[&*]a\d/)
  })

  test('every field of the spec is described', () => {
    for (const index of [0, 1]) {
      const spec = field(parts(index).version.schema.openAPIV3Schema, 'spec')
      for (const [name, inner] of Object.entries(spec.properties as Record<string, OpenApi>)) {
        assert.equal(typeof inner.description, 'string', name)
      }
    }
  })
})
