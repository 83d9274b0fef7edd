import { describe, type FieldFault, isMap, nearest, validate } from './faults.ts'
import { API_GROUP, API_VERSION, type App, type Key, type Mapping, type Place } from './objects.ts'
import { KINDS, type Kind, objectMeta, specSchemas } from './schema.ts'

/** Kind and key of an object, known also where the object itself is faulty. */
export interface Identity {
  kind: Kind
  key: Key
}

/** What the decoder needs to know besides the object. */
export interface Where {
  /** For messages and for the object's `place`. */
  place: Place
  /** Name of the source: `manifests`, `kubernetes`. */
  source: string
  /** Namespace of objects that name none; `default` when not given. */
  namespace?: string | undefined
  /** Kind of items of a typed list, which may leave it out along with `apiVersion`. */
  kind?: Kind
  /**
   * Gets each unknown field, lists without their numbers, and the object counts without it. When not given, it is a fault: in a file
   * it is a slip, from an API server, which drops what its definition does not know, a newer definition's.
   */
  passOver?: (field: string) => void
}

/** A decoded object with its kind, or every fault of it. */
type Decoded =
  | { ok: true; kind: 'ServerPilotApp'; object: App }
  | { ok: true; kind: 'DomainMapping'; object: Mapping }
  | { ok: false; faults: FieldFault[] }

/** Written by `kubectl apply`: a second copy of the whole object, of no use to us and the largest thing in it. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/** Known fields of `metadata`, to tell a misspelt one from one that a later Kubernetes adds. */
const META_FIELDS = [
  ...['name', 'generateName', 'namespace', 'labels', 'annotations', 'uid', 'resourceVersion', 'generation', 'selfLink'],
  ...['creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'finalizers', 'ownerReferences'],
  'managedFields',
]

const OBJECT_FIELDS = ['apiVersion', 'kind', 'metadata', 'spec', 'status']

/** Whether an `apiVersion` is of our group, or so near to it that it was probably meant to be. */
export function isOurs(apiVersion: string, kind: string): boolean {
  const group = groupOf(apiVersion)
  if (group === API_GROUP || group.endsWith(`.${API_GROUP}`)) return true
  const ourKind = (KINDS as readonly string[]).includes(kind)
  // `DomainMapping` is a kind of other groups too (Knative), so the kind alone does not make an object ours.
  return ourKind && (group === '' || nearest(group, [API_GROUP]) !== undefined)
}

/** The group of an `apiVersion`; empty for that of the core. */
const groupOf = (apiVersion: string): string => apiVersion.slice(0, Math.max(0, apiVersion.indexOf('/')))

/**
 * Whether something that lacks apiVersion or kind was meant for us: by the one that it has, or by a field that each object of ours
 * has. A text alone seems so too, as a file that was cut in its first word says no more. What other programs keep beside our objects
 * (Chart.yaml, values.yaml, a kustomization) does not.
 */
export function seemsOurs(value: unknown): boolean {
  if (Array.isArray(value)) return value.some((each) => isMap(each) && seemsOurs(each))
  if (!isMap(value)) return true
  const { apiVersion, kind, spec, items } = value
  if (typeof kind === 'string' && nearest(kind, OUR_KINDS) !== undefined) return true
  const group = typeof apiVersion === 'string' ? groupOf(apiVersion) : ''
  if (group !== '') return nearest(group, [API_GROUP]) !== undefined
  const fields = isMap(spec) ? { ...spec, ...value } : value
  return (
    'appId' in fields ||
    'appRef' in fields ||
    (isMap(spec) && 'domain' in spec) ||
    (Array.isArray(items) && seemsOurs(items))
  )
}

/** The kinds of objects that are read, and what holds them. */
const OUR_KINDS = [...KINDS, 'Secret', 'List', ...KINDS.map((kind) => `${kind}List`)]

/** Decodes one object of our group: defaults filled in, durations in milliseconds. Never throws. */
export function decodeObject(value: unknown, where: Where): Decoded {
  if (!isMap(value)) {
    return { ok: false, faults: [{ path: [], message: `must be a map of fields, not ${describe(value)}` }] }
  }
  const faults: FieldFault[] = []
  const kind = decodeKind(value, where, faults)
  for (const key of Object.keys(value)) {
    if (OBJECT_FIELDS.includes(key)) continue
    const meant = nearest(key, OBJECT_FIELDS) ?? `spec.${key}`
    if (where.passOver !== undefined) where.passOver(key)
    else faults.push({ path: [key], message: `is not a known field; did you mean ${meant}?` })
  }
  const meta = decodeMeta(value.metadata, where, faults)
  if (kind === undefined) return { ok: false, faults }
  const spec = validate(specSchemas[kind], value.spec, ['spec'], where.passOver)
  if (!spec.ok || meta === undefined || faults.length > 0) {
    return { ok: false, faults: spec.ok ? faults : [...faults, ...spec.faults] }
  }
  if ('appId' in spec.value) return { ok: true, kind: 'ServerPilotApp', object: { ...meta, spec: spec.value } }
  const { domain, www, appRef } = spec.value
  const app = `${appRef.namespace ?? meta.namespace}/${appRef.name}`
  const object: Mapping = { ...meta, source: where.source, domain, app, ...(www === undefined ? {} : { www }) }
  return { ok: true, kind: 'DomainMapping', object }
}

/** Kind and key of a value that may be anything; undefined unless it is an object of our group with a name. */
export function identify(value: unknown, where: Pick<Where, 'namespace'>): Identity | undefined {
  if (!isMap(value)) return undefined
  const kind = KINDS.find((known) => known === value.kind)
  const meta = isMap(value.metadata) ? value.metadata : {}
  if (kind === undefined || typeof meta.name !== 'string' || meta.name === '') return undefined
  const namespace = typeof meta.namespace === 'string' ? meta.namespace : (where.namespace ?? 'default')
  return { kind, key: `${namespace}/${meta.name}` }
}

/** Decodes the kind, adding what is wrong with it and with `apiVersion` to `faults`. */
function decodeKind(value: Record<string, unknown>, where: Where, faults: FieldFault[]): Kind | undefined {
  const apiVersion = value.apiVersion ?? (where.kind === undefined ? undefined : API_VERSION)
  if (apiVersion !== API_VERSION) {
    const wrong = `must be ${API_VERSION}, not ${describe(apiVersion)}`
    faults.push({
      path: ['apiVersion'],
      message: apiVersion === undefined ? `is missing; write ${API_VERSION}` : wrong,
    })
  }
  const kind = value.kind ?? where.kind
  const known = KINDS.find((candidate) => candidate === kind)
  if (known !== undefined) return known
  const near = typeof kind === 'string' ? nearest(kind, KINDS) : undefined
  const choices = near === undefined ? `there are ${KINDS.join(' and ')}` : `did you mean ${near}?`
  const named = typeof kind === 'string' ? JSON.stringify(kind) : describe(kind)
  const message =
    kind === undefined ? `is missing; ${choices}` : `is an unknown kind of ${API_GROUP}, ${named}; ${choices}`
  faults.push({ path: ['kind'], message })
  return undefined
}

/** Decodes `metadata`, adding what is wrong with it to `faults`. */
function decodeMeta(value: unknown, where: Where, faults: FieldFault[]) {
  if (isMap(value) && where.passOver === undefined) {
    for (const key of Object.keys(value)) {
      const near = META_FIELDS.includes(key) ? undefined : nearest(key, META_FIELDS)
      if (near !== undefined)
        faults.push({ path: ['metadata', key], message: `is not a known field; did you mean ${near}?` })
    }
  }
  const meta = validate(objectMeta, value, ['metadata'])
  if (!meta.ok) {
    faults.push(...meta.faults)
    return undefined
  }
  const { name, namespace = where.namespace ?? 'default', creationTimestamp, annotations } = meta.value
  const created = creationTimestamp ? Date.parse(creationTimestamp) : undefined
  if (created !== undefined && Number.isNaN(created)) {
    const message = `must be a date such as 2030-01-31T12:00:00Z, not ${describe(creationTimestamp)}`
    faults.push({ path: ['metadata', 'creationTimestamp'], message })
    return undefined
  }
  const { [LAST_APPLIED]: _, ...kept } = annotations ?? {}
  return {
    key: `${namespace}/${name}`,
    namespace,
    name,
    generation: meta.value.generation ?? 1,
    ...(created === undefined ? {} : { created }),
    place: where.place,
    labels: meta.value.labels ?? {},
    annotations: kept,
  }
}
