import type { Kind } from '../../src/api/schema.ts'
import { customResourceDefinitions } from '../../src/status/crd.ts'
import type { OpenApi } from '../../src/status/wire/field.ts'
import { type ApiServer, until } from './api-server.ts'
import { create, MERGE, type Sample, type Spec } from './crd-samples.ts'

const CRDS = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' }

/** How the definition of another release differs: `change` gets the fields of the present `spec`. */
export interface OtherCrd {
  kind: Kind
  change(fields: Record<string, OpenApi>): void
  /** A spec that tells the two apart. */
  probe: Spec
  /** Whether this is what the API server would store of it. */
  serves(stored: Spec): boolean
}

/** Puts the definition of another release into the cluster, and waits until it is the one that is served. */
export async function installOther(server: ApiServer, { kind, change, probe, serves }: OtherCrd): Promise<void> {
  const crd = customResourceDefinitions().find(({ spec }) => (spec.names as { kind: Kind }).kind === kind)
  const { metadata, spec } = structuredClone(crd) as NonNullable<typeof crd>
  const [version] = spec.versions as [{ schema: { openAPIV3Schema: { properties: { spec: OpenApi } } } }]
  change(version.schema.openAPIV3Schema.properties.spec.properties as Record<string, OpenApi>)
  const body = { spec: { versions: [version] } }
  await server.admin.custom.patchClusterCustomObject({ ...CRDS, name: metadata.name, body }, MERGE)
  const namespace = await server.namespace('probe')
  let calls = 0
  await until(`another ${kind} is served`, async () => {
    const sample: Sample = { kind, metadata: { name: `probe${calls++}` }, spec: probe }
    return serves((await create(server, namespace, sample, true, 'Ignore')).spec)
  })
}

/** As it was before the API server knew addresses. */
export const WITHOUT_ADDRESSES: OtherCrd = {
  kind: 'ServerPilotApp',
  change({ dns }) {
    const { expectedAddresses } = (dns as { properties: { expectedAddresses: OpenApi } }).properties
    expectedAddresses.items = { type: 'string' }
  },
  probe: { appId: 'AAAA', dns: { expectedAddresses: ['cdn.example.net'] } },
  serves: () => true,
}

/** A rule for `www` may say anything. */
export const WITHOUT_CHOICES: OtherCrd = {
  kind: 'DomainMapping',
  change: (fields) => void Object.assign(fields, { www: { type: 'string' } }),
  probe: { domain: 'a.example', www: 'Maybe', appRef: { name: 'network' } },
  serves: () => true,
}

/** An app of an older release has neither of these fields. */
export const OLDER: OtherCrd = {
  kind: 'ServerPilotApp',
  change(fields) {
    for (const name of ['deletionPolicy', 'suspend', 'dns', 'allowedDomains']) delete fields[name]
  },
  probe: { appId: 'AAAA', suspend: true },
  serves: ({ suspend }) => suspend === undefined,
}

const NEW_FIELD = { fromTheFuture: { type: 'boolean', default: true } }

/** Both kinds as a later release may have them: one more field with a default, beside the others and one deeper. */
export const NEWER: readonly OtherCrd[] = [
  {
    kind: 'ServerPilotApp',
    change(fields) {
      Object.assign(fields, NEW_FIELD)
      Object.assign((fields.ssl as { properties: object }).properties, NEW_FIELD)
    },
    probe: { appId: 'AAAA' },
    serves: ({ fromTheFuture }) => fromTheFuture === true,
  },
  {
    kind: 'DomainMapping',
    change: (fields) => void Object.assign(fields, NEW_FIELD),
    probe: { domain: 'a.example', appRef: { name: 'network' } },
    serves: ({ fromTheFuture }) => fromTheFuture === true,
  },
]
