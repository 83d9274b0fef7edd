import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Key } from '../api/objects.ts'
import type { AppStatus } from '../status/status.ts'
import type { StatusMetrics } from '../status/store.ts'
import { CODES, type ENDPOINTS, METRIC_PREFIX, METRICS, type MetricEntry, type MetricName } from './metrics-table.ts'

export { metricsDocs } from './metrics-table.ts'

export type Endpoint = (typeof ENDPOINTS)[number]

/** Everything that the program counts. */
export interface Metrics extends StatusMetrics {
  /** The exposition text, and its content type. */
  text(): Promise<string>
  readonly contentType: string
  /** This process leads (or nobody elects). */
  leading(): void
  /** `status` undefined when there was no answer; `duration` in milliseconds. */
  serverpilotRequest(call: { method: string; endpoint: Endpoint; status?: number | undefined; duration: number }): void
  /** Whether the DNS resolver answers. */
  resolverAnswers(answers: boolean): void
  queueDepth(apps: number): void
  queueAdded(): void
  queueRetried(): void
  /** Milliseconds between being due and being taken. */
  queueWaited(duration: number): void
}

/** What the metrics need to know beforehand: every label value that is to be born at 0. */
interface MetricsOptions {
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
  const { counters, gauges, histograms, perApp } = register(registry)
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
    for (const [type, reason] of apps.get(app) ?? []) gauges.app_condition.remove({ ...labelsOf(app), type, reason })
    for (const { metric, values } of perApp) for (const own of values) metric.remove({ ...labelsOf(app), ...own })
    apps.delete(app)
  }

  /** The app's counters are born at 0. */
  function born(app: Key): Map<string, string> {
    const exported = new Map<string, string>()
    apps.set(app, exported)
    for (const { metric, values } of perApp)
      if (metric instanceof Counter) for (const own of values) metric.inc({ ...labelsOf(app), ...own }, 0)
    return exported
  }

  function conditions({ key, conditions }: AppStatus): void {
    const exported = apps.get(key) ?? born(key)
    const labels = labelsOf(key)
    // Everything old goes first: a reason that changed would leave a second series of the same type behind.
    for (const [type, reason] of exported) gauges.app_condition.remove({ ...labels, type, reason })
    exported.clear()
    for (const { type, reason, status } of conditions) {
      gauges.app_condition.set({ ...labels, type, reason }, status === 'True' ? 1 : 0)
      exported.set(type, reason)
    }
  }

  return {
    text: () => registry.metrics(),
    contentType: registry.contentType,
    appGone: forget,
    appUnread: conditions,
    leading: () => gauges.leader.set(1),
    reconciled(reconciled) {
      const { key } = reconciled.app
      conditions(reconciled.status)
      for (const { metric, values, of } of perApp) {
        for (const own of values) {
          const [label = ''] = Object.values(own)
          put(metric, { ...labelsOf(key), ...own }, of(reconciled, label))
        }
      }
    },
    serverpilotRequest({ method, endpoint, status, duration }) {
      const labels = { method, endpoint, code: codeOf(status) }
      counters.serverpilot_requests_total.inc(labels)
      histograms.serverpilot_request_duration_seconds.observe(labels, duration / 1000)
    },
    sourceRead(source, read) {
      counters.source_reads_total.inc({ source, result: read.ok ? 'success' : 'failure' })
      if (!read.ok) return
      gauges.source_objects.set({ source }, read.objects)
      gauges.source_last_success_timestamp_seconds.set({ source }, read.at / 1000)
    },
    resolverAnswers: (answers) => gauges.dns_resolver_failing.set(answers ? 0 : 1),
    queueDepth: (depth) => gauges.workqueue_depth.set(depth),
    queueAdded: () => counters.workqueue_adds_total.inc(),
    queueRetried: () => counters.workqueue_retries_total.inc(),
    queueWaited: (duration) => histograms.workqueue_queue_duration_seconds.observe(duration / 1000),
  }
}

type Metric = Counter | Gauge | Histogram

/** A metric that a reconcile of an app says something of, with every value of its label. */
interface PerApp {
  metric: Metric
  values: readonly Labels[]
  of: NonNullable<MetricEntry['of']>
}

/** Builds every metric of the table, by type. */
function register(registry: Registry) {
  const made = { counters: {}, gauges: {}, histograms: {} } as Record<string, Record<string, Metric>>
  const perApp: PerApp[] = []
  for (const [name, entry] of Object.entries<MetricEntry>(METRICS)) {
    const labelNames = [...(entry.scope === 'app' ? ['namespace', 'app'] : []), ...Object.keys(entry.labels)]
    const config = { name: METRIC_PREFIX + name, help: entry.help, labelNames, registers: [registry] }
    const metric = {
      counter: () => new Counter(config),
      gauge: () => new Gauge(config),
      histogram: () => new Histogram({ ...config, buckets: [...(entry.buckets ?? [])] }),
    }[entry.type]()
    made[`${entry.type}s`]![name] = metric
    if (entry.of !== undefined) perApp.push({ metric, values: combinations(entry.labels), of: entry.of })
  }
  // The loop above filled in exactly the names of the table, each by its type.
  const { counters, gauges, histograms } = made as unknown as {
    counters: Record<NameOf<'counter'>, Counter>
    gauges: Record<NameOf<'gauge'>, Gauge>
    histograms: Record<NameOf<'histogram'>, Histogram>
  }
  return { counters, gauges, histograms, perApp }
}

/** Puts one figure in, in the way of its metric. */
function put(metric: Metric, labels: Labels, figure: number | null | undefined): void {
  if (figure === undefined) return
  if (figure === null) metric.remove(labels)
  else if (metric instanceof Counter) metric.inc(labels, figure)
  else if (metric instanceof Gauge) metric.set(labels, figure)
  else metric.observe(labels, figure)
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
