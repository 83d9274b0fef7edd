import { lifeOf, renewalOf } from '../check/certificate.ts'
import { CALLS } from '../serverpilot/serverpilot.ts'
import { conditionOf } from '../status/conditions.ts'
import type { Outcome } from '../status/outcome.ts'
import type { AppStatus } from '../status/status.ts'
import type { Reconciled } from '../status/store.ts'

/** One metric: everything that its registration, its birth at 0, its removal and its documentation need. */
interface MetricEntry {
  type: 'counter' | 'gauge' | 'histogram'
  /** Labels besides the app's. A list holds every value that can occur; `open` has values that only the run time knows. */
  labels?: Readonly<Record<string, readonly string[] | 'open'>>
  help: string
  /** Upper bounds of a histogram, in seconds. */
  buckets?: readonly number[]
  /** What a reconcile of the app says of it, for one value of its label. Undefined: nothing; `null` takes the series away. */
  of?: (reconciled: Reconciled, label: string) => number | null | undefined
}

/** Stands before every name below. */
export const METRIC_PREFIX = 'domainpilot_'

/** How one reconcile of an app ended: the same words as the outcome of `apply`. */
const RESULT: Record<Outcome['result'], string> = {
  Applied: 'applied',
  Unchanged: 'unchanged',
  Planned: 'planned',
  Refused: 'refused',
  Suspended: 'suspended',
  Failed: 'failed',
  Gone: 'unchanged',
}
const RECONCILE_RESULTS = [...new Set(Object.values(RESULT))]

/** What happened to hosts. */
const HOST_ACTIONS = {
  add: ({ added }) => added.length,
  remove: ({ removed }) => removed.length,
  adopt: ({ adopted }) => adopted,
  release: ({ released }) => released,
} as const satisfies Record<string, (outcome: Outcome) => number>

const seconds = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : ms / 1000)

/** When the renewal of the installed certificate is overdue, or urgent; null where that is not known. */
function renewalSeconds({ certificate }: AppStatus, mark: keyof ReturnType<typeof renewalOf>): number | null {
  const life = lifeOf(certificate)
  return life === undefined ? null : renewalOf(life)[mark] / 1000
}

/** How many mappings have a Ready with this status, in lower case. */
const readiness = ({ mappings }: Reconciled, ready: string): number =>
  mappings.filter((mapping) => (conditionOf(mapping, 'Ready')?.status ?? 'Unknown').toLowerCase() === ready).length

const ENDPOINTS = [...new Set(Object.values(CALLS).map(({ endpoint }) => endpoint))]

/** Status codes that are counted apart; another one counts as `other`, no answer at all as `none`. */
export const CODES = '200 400 401 402 403 404 409 429 500 502 503 504 none other'.split(' ')

const REQUEST = { method: ['GET', 'POST'], endpoint: ENDPOINTS, code: CODES }

/** The metrics of an app: they carry `namespace` and `app`, and go when its object goes. */
const APP_METRICS = {
  app_hosts: {
    type: 'gauge',
    labels: { kind: ['desired', 'observed', 'owned', 'foreign'] },
    help: 'Hosts of the app: wanted, listed by ServerPilot, ours, not ours.',
    of: ({ status }, kind) => status.domains[kind as keyof AppStatus['domains']],
  },
  app_pending_changes: {
    type: 'gauge',
    labels: { action: ['add', 'remove'] },
    help: 'Changes that the last plan found and that are not in place.',
    of: ({ outcome: { plan } }, action) =>
      plan && (action === 'add' ? plan.additions.length : plan.removals.length + plan.waiting.length),
  },
  app_condition: {
    type: 'gauge',
    labels: { type: 'open', reason: 'open' },
    help: 'Conditions of the app: 1 while True, 0 while False or Unknown. One series per type, with the present reason.',
  },
  app_removals_refused: {
    type: 'gauge',
    help: '1 while the safety guard holds removals back until somebody approves them.',
    of: ({ status }) => Number(status.plan?.reason === 'RemovalRefused'),
  },
  app_writes_contended_total: {
    type: 'counter',
    help: 'Writes after which ServerPilot listed something else, because somebody else wrote too.',
    of: ({ outcome }) => Number(outcome.failure?.reason === 'Contended'),
  },
  app_last_attempt_timestamp_seconds: {
    type: 'gauge',
    help: 'When the app was last reconciled. Absent before the first time.',
    of: ({ outcome }) => seconds(outcome.startedAt),
  },
  app_last_success_timestamp_seconds: {
    type: 'gauge',
    help: 'When the app was last found or brought in sync. Absent before the first time.',
    of: ({ status }) => seconds(status.lastSuccess),
  },
  app_certificate_expiry_timestamp_seconds: {
    type: 'gauge',
    help: 'When the installed certificate ends. Absent while there is none.',
    of: ({ status }) => seconds(status.certificate?.notAfter) ?? null,
  },
  app_certificate_overdue_timestamp_seconds: {
    type: 'gauge',
    help: 'From when on the renewal of the installed certificate is overdue. Absent while there is none.',
    of: ({ status }) => renewalSeconds(status, 'overdueAt'),
  },
  app_certificate_urgent_timestamp_seconds: {
    type: 'gauge',
    help: 'From when on its renewal is urgent. Absent while there is none.',
    of: ({ status }) => renewalSeconds(status, 'urgentAt'),
  },
  app_uncovered_hosts: {
    type: 'gauge',
    help: 'Hosts that the installed certificate does not name. Under `dns.policy: Ignore` without those whose own DNS is wrong.',
    of: ({ checks }) => checks.uncovered(),
  },
  app_dns_failing_hosts: {
    type: 'gauge',
    help: 'Hosts without records or with records that lead elsewhere. Those whose resolver failed are not counted; none under `dns.policy: Ignore`.',
    of: ({ checks }) => checks.failing(),
  },
  app_quarantined_hosts: {
    type: 'gauge',
    help: 'Wanted hosts that are off the app until their DNS is right, under `dns.policy: Quarantine`.',
    of: ({ outcome: { plan } }) =>
      plan && [...plan.held.values()].filter(({ reason, of }) => reason === 'Quarantined' && of === 'addition').length,
  },
  mappings: {
    type: 'gauge',
    labels: { ready: ['true', 'false', 'unknown'] },
    help: 'Domain mappings of the app by their condition Ready.',
    of: readiness,
  },
  host_changes_total: {
    type: 'counter',
    labels: { action: Object.keys(HOST_ACTIONS) },
    help: 'Hosts that were added, removed, adopted (ours from now on) or released (ours no more).',
    of: ({ outcome }, action) => HOST_ACTIONS[action as keyof typeof HOST_ACTIONS](outcome),
  },
  reconcile_total: {
    type: 'counter',
    labels: { result: RECONCILE_RESULTS },
    help: 'Reconciles of the app by how they ended.',
    of: ({ outcome }, result) => Number(RESULT[outcome.result] === result),
  },
  reconcile_duration_seconds: {
    type: 'histogram',
    labels: { result: RECONCILE_RESULTS },
    help: 'How long a reconcile took, waiting for ServerPilot included.',
    buckets: [0.1, 0.5, 1, 5, 15, 60, 300],
    of: ({ outcome }, result) =>
      RESULT[outcome.result] === result ? (outcome.endedAt - outcome.startedAt) / 1000 : undefined,
  },
} as const satisfies Record<string, MetricEntry>

/** The metrics of the program. */
const PROCESS_METRICS = {
  serverpilot_requests_total: {
    type: 'counter',
    labels: REQUEST,
    help: 'Requests to the ServerPilot API. Code `none`: no answer; `other`: a status that is not listed.',
  },
  serverpilot_request_duration_seconds: {
    type: 'histogram',
    labels: REQUEST,
    help: 'How long ServerPilot took to answer.',
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  },
  source_reads_total: {
    type: 'counter',
    labels: { source: 'open', result: ['success', 'failure'] },
    help: 'Reads of a source of objects or mappings.',
  },
  source_last_success_timestamp_seconds: {
    type: 'gauge',
    labels: { source: 'open' },
    help: 'When the source was last read as a whole. Absent before the first time.',
  },
  source_objects: {
    type: 'gauge',
    labels: { source: 'open' },
    help: 'Objects that the last good read of the source gave.',
  },
  workqueue_depth: { type: 'gauge', help: 'Apps that wait to be reconciled.' },
  workqueue_adds_total: { type: 'counter', help: 'Apps put into the queue.' },
  workqueue_retries_total: { type: 'counter', help: 'Apps put into the queue again after a failure.' },
  workqueue_queue_duration_seconds: {
    type: 'histogram',
    help: 'How long an app waited in the queue after it was due.',
    buckets: [0.01, 0.1, 0.5, 1, 2, 5, 15, 60, 300],
  },
  dns_resolver_failing: {
    type: 'gauge',
    help: '1 while the DNS resolver gives no answers, so that nothing new is known of any host.',
  },
  leader: { type: 'gauge', help: '1 on the replica that works (also without leader election), 0 on a standby.' },
  build_info: {
    type: 'gauge',
    labels: { version: 'open', node: 'open' },
    help: 'Always 1; the labels name the version.',
  },
} as const satisfies Record<string, MetricEntry>

/** Every metric of ours, in the order of the documentation. Never a host name in a label. */
export const METRICS = { ...APP_METRICS, ...PROCESS_METRICS }

/** A metric's name without the prefix. */
export type MetricName = keyof typeof METRICS
export type ProcessMetric = keyof typeof PROCESS_METRICS

/** Every name with its entry and all of its labels: those of the app come first. */
export const METRIC_ROWS = Object.entries<MetricEntry>(METRICS).map(([name, entry]) => ({
  ...entry,
  name,
  appLabels: name in APP_METRICS ? ['namespace', 'app'] : [],
  labels: entry.labels ?? {},
}))
export type MetricRow = (typeof METRIC_ROWS)[number]

/** The metrics as the page docs/metrics.md. Ends in a newline. */
export function metricsDocs(): string {
  const rows = METRIC_ROWS.map(({ name, type, help, appLabels, labels }) => {
    const app = appLabels.map((label) => `\`${label}\``)
    const own = Object.entries(labels).map(([label, values]) =>
      values === 'open' || values.length > 6 ? `\`${label}\`` : `\`${label}\` (${values.join(', ')})`,
    )
    return `| \`${METRIC_PREFIX}${name}\` | ${type} | ${[...app, ...own].join(', ') || '-'} | ${help} |`
  })
  return `# Metrics

Served at \`/metrics\`. Written by \`npm run docs\` from the table in the code: change it there.

- Counters are born at 0 with each value that a label can have, so that \`increase()\` sees the first failure.
- Times are absent, not 0, before they have happened once.
- The series of an app go when its object goes. A standby exports \`${METRIC_PREFIX}leader 0\` and no series per app.
- No label ever holds a host name.

| name | type | labels | meaning |
|---|---|---|---|
${rows.join('\n')}

\`endpoint\` is one of ${ENDPOINTS.map((endpoint) => `\`${endpoint}\``).join(', ')}.
\`code\` is one of ${CODES.map((code) => `\`${code}\``).join(', ')}.

The process's own metrics (\`process_…\`, \`nodejs_…\`) are those of prom-client.
`
}
