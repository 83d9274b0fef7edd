import { always, type Carried, integer, list, oneOf, optional, record, required, text, texts, time } from './field.ts'

// The `status` of both kinds, described once: the schema of the CustomResourceDefinitions, what is patched into objects, what the
// command line and a new leader read off them, and the types in status.ts come from here.

const condition = record({
  type: required(text({ maxLength: 316, description: 'What is judged, such as Ready.' })),
  status: required(oneOf(['True', 'False', 'Unknown'], 'Whether it holds.')),
  reason: required(
    text({
      description: 'Why, in one word for programs: see docs/troubleshooting.md.',
      minLength: 1,
      maxLength: 1024,
      pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
    }),
    '',
  ),
  message: required(text({ maxLength: 32768, description: 'Why, for people.' }), ''),
  observedGeneration: always(
    integer('int64', { minimum: 0, description: 'The generation that this condition speaks of.' }),
    -1,
  ),
  lastTransitionTime: required(time('When its status last changed.'), 0),
})

/** Kubernetes' own form of conditions, merged by type. */
const conditions = always(
  list(condition, {
    description: 'The latest observations of the state of this object.',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['type'],
  }),
  [],
)

const observedGeneration = always(
  integer('int64', { description: 'The generation that this status speaks of; -1 before the first look.' }),
  -1,
)

const count = (description: string) => always(integer('int32', { minimum: 0, description }), 0)

/** The default makes kstatus wait for the first look. */
const STATUS = {
  description: 'What the daemon found and did; written by the daemon alone.',
  default: { observedGeneration: -1 },
}

const host = record({
  name: required(text({ description: 'Canonical host name.' })),
  state: required(
    oneOf(
      ['present', 'pending', 'absent', 'leaving', 'rejected', 'foreign'],
      'Whether ServerPilot lists it; if not, whether it is to come, or why it never will.',
    ),
  ),
  addresses: optional(texts('Addresses that DNS gives.')),
  certificateNotAfter: optional(time('End of the certificate that covers the host.')),
  message: optional(text({ description: 'Why the host is not present.' })),
})

const domains = record(
  {
    desired: count('Hosts that mappings ask for.'),
    observed: count('Hosts that ServerPilot lists.'),
    owned: count('Hosts of ours, as recorded.'),
    foreign: count('Hosts that ServerPilot lists and that are not ours.'),
  },
  { description: 'Numbers of hosts.' },
)

const plan = record(
  {
    hash: always(text({ description: 'Names exactly these removals.' })),
    removals: always(texts('The hosts that would go.')),
    reason: always(text({ description: 'What holds them back, in one word.' }), ''),
    message: always(text({ description: 'What holds them back, with its figures.' }), ''),
  },
  { description: 'Removals that wait. To approve them, annotate domainpilot.dev/approve-plan with the hash.' },
)

const certificate = record(
  {
    notBefore: optional(time('Since when it is valid.')),
    notAfter: optional(time('When it expires.')),
    covered: always(texts('Hosts that it is valid for.'), []),
    uncovered: always(texts('Hosts that it is not valid for.'), []),
  },
  { description: "The app's certificate." },
)

/** `status` of both kinds. */
export const STATUS_WIRE = {
  ServerPilotApp: record(
    {
      observedGeneration,
      ownedDomains: always(texts('The hosts of ours. Shown here, never read back: the ownership record counts.'), []),
      domains: always(domains, { desired: 0, observed: 0, owned: 0, foreign: 0 }),
      plan: optional(plan),
      certificate: optional(certificate),
      lastHandledReconcileAt: optional(
        text({ description: 'The value of domainpilot.dev/reconcile-requested-at that was handled last.' }),
      ),
      conditions,
    },
    STATUS,
  ),
  DomainMapping: record(
    {
      observedGeneration,
      appId: optional(text({ description: 'Id of the app at ServerPilot.' })),
      hosts: always(list(host, { description: 'The host names that this mapping asks for.' }), []),
      conditions,
    },
    STATUS,
  ),
} as const

/** The `status` of a `ServerPilotApp`, of a `DomainMapping`, and parts of them: what a cluster keeps. Times are epoch ms. */
export type AppWire = Carried<(typeof STATUS_WIRE)['ServerPilotApp']>
export type MappingWire = Carried<(typeof STATUS_WIRE)['DomainMapping']>
export type HostWire = Carried<typeof host>
export type PlanWire = Carried<typeof plan>
export type ConditionWire = Carried<typeof condition>

/** A `status` as it stands in an object: JSON. */
export type StatusFields = Record<string, unknown>

/** A `status` for a merge patch: `null` takes out what may be there and is not wanted any more. */
export const appFields = (status: AppWire): StatusFields => STATUS_WIRE.ServerPilotApp.encode(status, true)
export const mappingFields = (status: MappingWire): StatusFields => STATUS_WIRE.DomainMapping.encode(status, true)

/** The `status` of an object of the API server; what it does not say, or says wrongly, is empty. */
export const readAppStatus = (raw: unknown): AppWire =>
  STATUS_WIRE.ServerPilotApp.decode(raw) ?? STATUS_WIRE.ServerPilotApp.decode({})!
export const readMappingStatus = (raw: unknown): MappingWire =>
  STATUS_WIRE.DomainMapping.decode(raw) ?? STATUS_WIRE.DomainMapping.decode({})!
