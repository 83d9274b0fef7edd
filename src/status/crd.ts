import { stringify } from 'yaml'
import { z } from 'zod'
import { API_GROUP, API_VERSION } from '../api/objects.ts'
import { type Kind, specSchemas } from '../api/schema.ts'
import { PLURAL } from '../kubernetes/api.ts'
import { partsOf } from './condition-types.ts'
import type { OpenApi } from './wire/field.ts'
import { STATUS_WIRE } from './wire/wire.ts'

/** A CustomResourceDefinition as it goes into YAML or to the API server. */
interface CustomResourceDefinition {
  apiVersion: 'apiextensions.k8s.io/v1'
  kind: 'CustomResourceDefinition'
  metadata: { name: string }
  spec: Record<string, unknown>
}

/** What Kubernetes wants to know of a kind besides its schema. */
interface Naming {
  shortName: string
  description: string
  /** Of `spec`. */
  spec: string
  columns: { name: string; type: string; jsonPath: string; description?: string; priority?: number }[]
  selectable: string[]
}

/** A column with a field of a condition. */
const conditionColumn = (name: string, type: string, field: string) => ({
  name,
  type: 'string',
  jsonPath: `.status.conditions[?(@.type=="${type}")].${field}`,
})

const READY = conditionColumn('Ready', 'Ready', 'status')
const REASON = conditionColumn('Reason', 'Ready', 'reason')
const MESSAGE = { ...conditionColumn('Message', 'Ready', 'message'), priority: 1 }
const AGE = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }

const NAMING: Record<Kind, Naming> = {
  ServerPilotApp: {
    shortName: 'spapp',
    description: 'An app at ServerPilot whose domains are kept in line with the mappings that refer to it.',
    spec: 'Which app it is, and how its domains are to be kept.',
    columns: [
      { name: 'App', type: 'string', jsonPath: '.spec.appId', description: 'Id of the app at ServerPilot' },
      { name: 'Policy', type: 'string', jsonPath: '.spec.policy' },
      { name: 'Desired', type: 'integer', jsonPath: '.status.domains.desired' },
      { name: 'Observed', type: 'integer', jsonPath: '.status.domains.observed' },
      READY,
      REASON,
      MESSAGE,
      AGE,
    ],
    selectable: ['.spec.appId'],
  },
  DomainMapping: {
    shortName: 'dmap',
    description: 'The wish that an app serves a domain.',
    spec: 'Which domain, and which app is to serve it.',
    columns: [
      { name: 'Domain', type: 'string', jsonPath: '.spec.domain' },
      { name: 'App', type: 'string', jsonPath: '.spec.appRef.name' },
      READY,
      REASON,
      ...partsOf('DomainMapping')
        .filter(({ printed }) => printed)
        .map(({ type, column = type }) => conditionColumn(column, type, 'status')),
      { name: 'Until', type: 'string', jsonPath: '.status.hosts[0].certificateNotAfter' },
      MESSAGE,
      AGE,
    ],
    selectable: ['.spec.appRef.name', '.spec.domain'],
  },
}

/** What a structural schema takes over as it stands. The rest of what zod writes is refused or means nothing there. */
const KEPT = [
  ...['type', 'description', 'default', 'enum', 'format', 'pattern', 'required'],
  ...['minLength', 'maxLength', 'minimum', 'maximum', 'minItems', 'maxItems'],
]

/** The CustomResourceDefinitions of both kinds, made from the schema that also validates files and from the wire form of the status. */
export function customResourceDefinitions(): CustomResourceDefinition[] {
  return (Object.keys(NAMING) as Kind[]).map(definition)
}

/** The same as YAML, one document each, quoted so that YAML 1.1 and 1.2 read it alike. */
export function crdsYaml(): string {
  return customResourceDefinitions()
    .map((crd) => stringify(crd, { compat: 'yaml-1.1', aliasDuplicateObjects: false, lineWidth: 120 }))
    .join('---\n')
}

function definition(kind: Kind): CustomResourceDefinition {
  const { shortName, description, spec, columns, selectable } = NAMING[kind]
  const openAPIV3Schema = {
    type: 'object',
    description,
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string', description: `Version of this object's schema: ${API_VERSION}.` },
      kind: { type: 'string', description: `${kind}.` },
      metadata: { type: 'object' },
      spec: { description: spec, ...structural(z.toJSONSchema(specSchemas[kind], { io: 'input' })) },
      status: STATUS_WIRE[kind].schema,
    },
  }
  const version = {
    name: API_VERSION.slice(API_GROUP.length + 1),
    served: true,
    storage: true,
    schema: { openAPIV3Schema },
    subresources: { status: {} },
    additionalPrinterColumns: columns,
    selectableFields: selectable.map((jsonPath) => ({ jsonPath })),
  }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${PLURAL[kind]}.${API_GROUP}` },
    spec: {
      group: API_GROUP,
      names: {
        kind,
        listKind: `${kind}List`,
        plural: PLURAL[kind],
        singular: kind.toLowerCase(),
        shortNames: [shortName],
        categories: ['domainpilot'],
      },
      scope: 'Namespaced',
      versions: [version],
    },
  }
}

/** JSON Schema as zod writes it to the subset that Kubernetes calls structural. Unknown fields it handles by pruning. */
function structural(schema: unknown): OpenApi {
  if (typeof schema !== 'object' || schema === null) throw new TypeError('a schema without a type cannot be structural')
  const from = schema as OpenApi
  const to: OpenApi = {}
  for (const key of KEPT) if (from[key] !== undefined) to[key] = from[key]
  // Regular expressions there are Go's: the same for all that we write, but for groups that do not capture.
  if (typeof to.pattern === 'string') to.pattern = to.pattern.replaceAll('(?:', '(')
  for (const key of Object.keys(from)) if (key.startsWith('x-kubernetes-')) to[key] = from[key]
  if (from.items !== undefined) to.items = structural(from.items)
  if (from.properties !== undefined) {
    const fields = Object.entries(from.properties as OpenApi)
    to.properties = Object.fromEntries(fields.map(([name, field]) => [name, structural(field)]))
  } else if (typeof from.additionalProperties === 'object') {
    to.additionalProperties = structural(from.additionalProperties)
  }
  return to
}
