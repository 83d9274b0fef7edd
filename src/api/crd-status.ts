/** One node of a structural OpenAPI v3 schema. */
export type OpenApi = Record<string, unknown>

/** Kubernetes' own form of conditions, merged by type. */
const conditions: OpenApi = {
  type: 'array',
  description: 'The latest observations of the state of this object.',
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
  items: {
    type: 'object',
    required: ['type', 'status', 'reason', 'message', 'lastTransitionTime'],
    properties: {
      type: { type: 'string', maxLength: 316, description: 'What is judged, such as Ready.' },
      status: { type: 'string', enum: ['True', 'False', 'Unknown'], description: 'Whether it holds.' },
      reason: {
        type: 'string',
        description: 'Why, in one word for programs: see docs/troubleshooting.md.',
        minLength: 1,
        maxLength: 1024,
        pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
      },
      message: { type: 'string', maxLength: 32768, description: 'Why, for people.' },
      observedGeneration: {
        type: 'integer',
        format: 'int64',
        minimum: 0,
        description: 'The generation that this condition speaks of.',
      },
      lastTransitionTime: { type: 'string', format: 'date-time', description: 'When its status last changed.' },
    },
  },
}

const observedGeneration: OpenApi = {
  type: 'integer',
  format: 'int64',
  description: 'The generation that this status speaks of; -1 before the first look.',
}

const names: OpenApi = { type: 'array', items: { type: 'string' } }
const count: OpenApi = { type: 'integer', format: 'int32', minimum: 0 }
const date: OpenApi = { type: 'string', format: 'date-time' }

/** `status` of a `DomainMapping`. The default makes kstatus wait for the first look. */
export const mappingStatus: OpenApi = {
  type: 'object',
  description: 'What the daemon found and did; written by the daemon alone.',
  default: { observedGeneration: -1 },
  properties: {
    observedGeneration,
    appId: { type: 'string', description: 'Id of the app at ServerPilot.' },
    hosts: {
      type: 'array',
      description: 'The host names that this mapping asks for.',
      items: {
        type: 'object',
        required: ['name', 'state'],
        properties: {
          name: { type: 'string', description: 'Canonical host name.' },
          state: {
            type: 'string',
            enum: ['present', 'pending', 'absent', 'leaving', 'rejected', 'foreign'],
            description: 'Whether ServerPilot lists it; if not, whether it is to come, or why it never will.',
          },
          addresses: { ...names, description: 'Addresses that DNS gives.' },
          certificateNotAfter: { ...date, description: 'End of the certificate that covers the host.' },
          message: { type: 'string', description: 'Why the host is not present.' },
        },
      },
    },
    conditions,
  },
}

/** `status` of a `ServerPilotApp`. */
export const appStatus: OpenApi = {
  type: 'object',
  description: 'What the daemon found and did; written by the daemon alone.',
  default: { observedGeneration: -1 },
  properties: {
    observedGeneration,
    ownedDomains: {
      ...names,
      description: 'The hosts of ours. Shown here, never read back: the ownership record counts.',
    },
    domains: {
      type: 'object',
      description: 'Numbers of hosts.',
      properties: {
        desired: { ...count, description: 'Hosts that mappings ask for.' },
        observed: { ...count, description: 'Hosts that ServerPilot lists.' },
        owned: { ...count, description: 'Hosts of ours, as recorded.' },
        foreign: { ...count, description: 'Hosts that ServerPilot lists and that are not ours.' },
      },
    },
    plan: {
      type: 'object',
      description: 'Removals that wait. To approve them, annotate domainpilot.dev/approve-plan with the hash.',
      properties: {
        hash: { type: 'string', description: 'Names exactly these removals.' },
        removals: { ...names, description: 'The hosts that would go.' },
        reason: { type: 'string', description: 'What holds them back, in one word.' },
        message: { type: 'string', description: 'What holds them back, with its figures.' },
      },
    },
    certificate: {
      type: 'object',
      description: "The app's certificate.",
      properties: {
        notAfter: { ...date, description: 'When it expires.' },
        covered: { ...names, description: 'Hosts that it is valid for.' },
        uncovered: { ...names, description: 'Hosts that it is not valid for.' },
      },
    },
    lastHandledReconcileAt: {
      type: 'string',
      description: 'The value of domainpilot.dev/reconcile-requested-at that was handled last.',
    },
    conditions,
  },
}
