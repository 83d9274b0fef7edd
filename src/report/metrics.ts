import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Key } from '../api/objects.ts'
import type { Condition } from '../status/status.ts'
import {
  CODES,
  type ENDPOINTS,
  type HOST_ACTIONS,
  METRIC_PREFIX,
  METRICS,
  type MetricEntry,
  type MetricName,
  type RECONCILE_RESULTS,
} from './metrics-table.ts'

export { metricsDocs } from './metrics-table.ts'

export type ReconcileResult = (typeof RECONCILE_RESULTS)[number]
export type HostAction = (typeof HOST_ACTIONS)[number]
export type Endpoint = (typeof ENDPOINTS)[number]

/** Figures of one app. What is left out stays as it was; a `null` takes the series away. Times are epoch milliseconds. */
export interface AppFigures {
  hosts?: { desired: number; observed: number; owned: number; foreign: number }
  pending?: { add: number; remove: number }
  removalsRefused?: boolean
  conditions?: readonly Condition[]
  lastAttempt?: number
  lastSuccess?: number
  certificateNotAfter?: number | null
  uncoveredHosts?: number
  dnsFailingHosts?: number
  mappings?: { true: number; false: number; unknown: number }
}

/**
 * Everything that the program counts. What is said of an app that `appSeen` has not named, or that is gone, is dropped: a
 * reconcile that ends after its app went, or after the Lease was lost, brings no series back.
 */
export interface Metrics {
  /** The exposition text, and its content type. */
  text(): Promise<string>
  readonly contentType: string
  /** The app's counters are born at 0. Again for a known app it does nothing. */
  appSeen(app: Key): void
  appGone(app: Key): void
  /** This process leads (or nobody elects). */
  leading(): void
  /** This process waits: leader is 0 and every series per app goes. */
  standby(): void
  app(app: Key, figures: AppFigures): void
  /** `duration` in milliseconds. */
  reconciled(app: Key, result: ReconcileResult, duration: number): void
  writeContended(app: Key): void
  hostsChanged(app: Key, action: HostAction, hosts: number): void
  /** `status` undefined when there was no answer; `duration` in milliseconds. */
  serverpilotRequest(call: { method: string; endpoint: Endpoint; status?: number | undefined; duration: number }): void
  /** A read of a source: a good one says how many objects at which epoch millisecond. */
  sourceRead(source: string, outcome: { ok: true; objects: number; at: number } | { ok: false }): void
  /** Whether the DNS resolver answers. */
  resolverAnswers(answers: boolean): void
  queueDepth(apps: number): void
  queueAdded(): void
  queueRetried(): void
  /** Milliseconds between being due and being taken. */
  queueWaited(duration: number): void
}

/** What the metrics need to know beforehand: every label value that is to be born at 0. */
export interface MetricsOptions {
  version: string
  /** Names of the sources of this run. */
  sources?: readonly string[]
  /** The verb of the full-list write, where it is not POST. */
  updateMethod?: 'POST' | 'PUT'
  /** Also the metrics of the process and of Node; default true. */
  process?: boolean
}

type NameOf<T extends MetricEntry['type']> = {
  [N in MetricName]: (typeof METRICS)[N]['type'] extends T ? N : never
}[MetricName]
type Labels = Record<string, string>

/** Calls that exist: only these are born at 0, not every method with every endpoint. */
const CALLS: readonly { method: string; endpoint: Endpoint }[] = [
  { method: 'GET', endpoint: '/apps' },
  { method: 'GET', endpoint: '/apps/:id' },
  { method: 'POST', endpoint: '/apps/:id' },
  { method: 'POST', endpoint: '/apps/:id/ssl' },
  { method: 'GET', endpoint: '/servers' },
  { method: 'GET', endpoint: '/servers/:id' },
  { method: 'GET', endpoint: '/actions/:id' },
]

/** Metrics on a registry of their own. */
export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry()
  if (options.process ?? true) collectDefaultMetrics({ register: registry })
  const { counters, gauges, histograms } = register(registry)
  /** Apps with series, each with the reason under which each condition type is exported now. */
  const apps = new Map<Key, Map<string, string>>()

  gauges.build_info.set({ version: options.version, node: process.version }, 1)
  gauges.leader.set(0)
  for (const call of CALLS) {
    const write = call.method === 'POST' && call.endpoint === '/apps/:id'
    const method = write ? (options.updateMethod ?? 'POST') : call.method
    for (const code of CODES) counters.serverpilot_requests_total.inc({ ...call, method, code }, 0)
  }
  for (const source of options.sources ?? []) {
    for (const result of METRICS.source_reads_total.labels.result)
      counters.source_reads_total.inc({ source, result }, 0)
  }

  function forget(app: Key): void {
    const labels = labelsOf(app)
    for (const [type, reason] of apps.get(app) ?? []) gauges.app_condition.remove({ ...labels, type, reason })
    for (const [name, entry] of perApp()) {
      if (name === 'app_condition') continue
      const metric = { ...counters, ...gauges, ...histograms }[name]
      for (const own of combinations(entry.labels)) metric.remove({ ...labels, ...own })
    }
    apps.delete(app)
  }

  function conditions(app: Key, list: readonly Condition[]): void {
    const labels = labelsOf(app)
    const exported = apps.get(app)
    if (exported === undefined) return
    // Everything old goes first: a reason that changed would leave a second series of the same type behind.
    for (const [type, reason] of exported) gauges.app_condition.remove({ ...labels, type, reason })
    exported.clear()
    for (const { type, reason, status } of list) {
      gauges.app_condition.set({ ...labels, type, reason }, status === 'True' ? 1 : 0)
      exported.set(type, reason)
    }
  }

  return {
    text: () => registry.metrics(),
    contentType: registry.contentType,
    appSeen(app) {
      if (apps.has(app)) return
      apps.set(app, new Map())
      for (const [name, entry] of perApp()) {
        if (entry.type !== 'counter') continue
        const counter = counters[name as NameOf<'counter'>]
        for (const own of combinations(entry.labels)) counter.inc({ ...labelsOf(app), ...own }, 0)
      }
    },
    appGone: forget,
    leading: () => gauges.leader.set(1),
    standby() {
      gauges.leader.set(0)
      for (const app of [...apps.keys()]) forget(app)
    },
    app(app, figures) {
      if (!apps.has(app)) return
      const labels = labelsOf(app)
      const put = (name: NameOf<'gauge'>, value: number | undefined, own: Labels = {}) => {
        if (value !== undefined) gauges[name].set({ ...labels, ...own }, value)
      }
      for (const kind of METRICS.app_hosts.labels.kind) put('app_hosts', figures.hosts?.[kind], { kind })
      for (const action of METRICS.app_pending_changes.labels.action) {
        put('app_pending_changes', figures.pending?.[action], { action })
      }
      for (const ready of METRICS.mappings.labels.ready) put('mappings', figures.mappings?.[ready], { ready })
      put('app_removals_refused', figures.removalsRefused === undefined ? undefined : Number(figures.removalsRefused))
      put('app_last_attempt_timestamp_seconds', seconds(figures.lastAttempt))
      put('app_last_success_timestamp_seconds', seconds(figures.lastSuccess))
      put('app_uncovered_hosts', figures.uncoveredHosts)
      put('app_dns_failing_hosts', figures.dnsFailingHosts)
      if (figures.certificateNotAfter === null) gauges.app_certificate_expiry_timestamp_seconds.remove(labels)
      else put('app_certificate_expiry_timestamp_seconds', seconds(figures.certificateNotAfter))
      if (figures.conditions) conditions(app, figures.conditions)
    },
    reconciled(app, result, duration) {
      if (!apps.has(app)) return
      counters.reconcile_total.inc({ ...labelsOf(app), result })
      histograms.reconcile_duration_seconds.observe({ ...labelsOf(app), result }, duration / 1000)
    },
    writeContended(app) {
      if (apps.has(app)) counters.app_writes_contended_total.inc(labelsOf(app))
    },
    hostsChanged(app, action, hosts) {
      if (apps.has(app)) counters.host_changes_total.inc({ ...labelsOf(app), action }, hosts)
    },
    serverpilotRequest({ method, endpoint, status, duration }) {
      const labels = { method, endpoint, code: codeOf(status) }
      counters.serverpilot_requests_total.inc(labels)
      histograms.serverpilot_request_duration_seconds.observe(labels, duration / 1000)
    },
    sourceRead(source, outcome) {
      counters.source_reads_total.inc({ source, result: outcome.ok ? 'success' : 'failure' })
      if (!outcome.ok) return
      gauges.source_objects.set({ source }, outcome.objects)
      gauges.source_last_success_timestamp_seconds.set({ source }, outcome.at / 1000)
    },
    resolverAnswers: (answers) => gauges.dns_resolver_failing.set(answers ? 0 : 1),
    queueDepth: (depth) => gauges.workqueue_depth.set(depth),
    queueAdded: () => counters.workqueue_adds_total.inc(),
    queueRetried: () => counters.workqueue_retries_total.inc(),
    queueWaited: (duration) => histograms.workqueue_queue_duration_seconds.observe(duration / 1000),
  }
}

/** Builds every metric of the table, by type. */
function register(registry: Registry) {
  const counters: Partial<Record<string, Counter>> = {}
  const gauges: Partial<Record<string, Gauge>> = {}
  const histograms: Partial<Record<string, Histogram>> = {}
  for (const [name, entry] of Object.entries<MetricEntry>(METRICS)) {
    const labelNames = [...(entry.scope === 'app' ? ['namespace', 'app'] : []), ...Object.keys(entry.labels)]
    const config = { name: METRIC_PREFIX + name, help: entry.help, labelNames, registers: [registry] }
    if (entry.type === 'counter') counters[name] = new Counter(config)
    else if (entry.type === 'gauge') gauges[name] = new Gauge(config)
    else histograms[name] = new Histogram({ ...config, buckets: [...(entry.buckets ?? [])] })
  }
  // The loop above filled in exactly the names of the table, each by its type.
  return { counters, gauges, histograms } as {
    counters: Record<NameOf<'counter'>, Counter>
    gauges: Record<NameOf<'gauge'>, Gauge>
    histograms: Record<NameOf<'histogram'>, Histogram>
  }
}

function perApp(): [MetricName, MetricEntry][] {
  return (Object.entries(METRICS) as [MetricName, MetricEntry][]).filter(([, entry]) => entry.scope === 'app')
}

function labelsOf(app: Key): { namespace: string; app: string } {
  const slash = app.indexOf('/')
  return { namespace: app.slice(0, Math.max(0, slash)), app: app.slice(slash + 1) }
}

/** Every combination of the label values that are known beforehand; one empty one when there are no labels. */
function combinations(labels: MetricEntry['labels']): Labels[] {
  return Object.entries(labels).reduce<Labels[]>(
    (made, [label, values]) =>
      values === 'open' ? made : made.flatMap((one) => values.map((value) => ({ ...one, [label]: value }))),
    [{}],
  )
}

function codeOf(status: number | undefined): string {
  if (status === undefined) return 'none'
  const code = String(status)
  return (CODES as readonly string[]).includes(code) ? code : 'other'
}

function seconds(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : milliseconds / 1000
}
