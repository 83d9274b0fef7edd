import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { type Key, splitKey } from '../api/objects.ts'
import type { ObservedCall } from '../serverpilot/options.ts'
import { CALLS } from '../serverpilot/serverpilot.ts'
import type { AppStatus } from '../status/status.ts'
import type { StatusMetrics } from '../status/store.ts'
import {
  CODES,
  METRIC_PREFIX,
  METRIC_ROWS,
  type MetricName,
  type MetricRow,
  type ProcessMetric,
} from './metrics-table.ts'

/** Everything that the program counts. */
export interface Metrics extends StatusMetrics {
  /** The exposition text, made with a turn of the event loop after each metric, and its content type. */
  text(turn?: () => Promise<void>): Promise<string>
  readonly contentType: string
  /** Notes a figure of the process: a gauge is set to it, a counter grows by it, a histogram takes it in. In the metric's own unit. */
  note(name: ProcessMetric, figure: number): void
  serverpilotRequest(call: ObservedCall): void
}

/** What the metrics need to know beforehand: every label value that is to be born at 0. */
interface MetricsOptions {
  version: string
  /** Names of the sources of this run. */
  sources?: readonly string[]
  /** The verb of the full-list write, where it is not POST. */
  serverpilotUpdateMethod?: 'POST' | 'PUT'
  /** Also the metrics of the process and of Node; default true. */
  process?: boolean
}

type Labels = Record<string, string>

/** Metrics on a registry of their own. */
export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry()
  if (options.process ?? true) collectDefaultMetrics({ register: registry })
  const made = METRIC_ROWS.map((row) => ({ ...row, metric: make(row, registry) }))
  const byName = Object.fromEntries(made.map(({ name, metric }) => [name, metric])) as Record<MetricName, Metric>
  /** What a reconcile of an app says something of, with every value of its label. */
  const perApp = made.flatMap(({ metric, labels, of }) => (of ? [{ metric, values: combinations(labels), of }] : []))
  const note = (name: MetricName, labels: Labels, figure: number | null): void => put(byName[name], labels, figure)
  /** Apps with series, each with the reason under which each condition type is exported now. */
  const apps = new Map<Key, Map<string, string>>()

  note('build_info', { version: options.version, node: process.version }, 1)
  note('leader', {}, 0)
  // Calls that exist, not every method with every endpoint.
  for (const call of Object.values(CALLS)) {
    const method = call === CALLS.writeDomains ? (options.serverpilotUpdateMethod ?? 'POST') : call.method
    for (const code of CODES) note('serverpilot_requests_total', { ...call, method, code }, 0)
  }
  for (const source of options.sources ?? [])
    for (const result of ['success', 'failure']) note('source_reads_total', { source, result }, 0)

  /** What is exported of its conditions goes: a reason that changed would leave a second series of the same type behind. */
  function dropConditions(app: Key): void {
    for (const [type, reason] of apps.get(app) ?? []) note('app_condition', { ...labelsOf(app), type, reason }, null)
  }

  function conditions({ key, conditions }: AppStatus): void {
    const labels = labelsOf(key)
    // The app's counters are born at 0.
    if (!apps.has(key))
      for (const { metric, values } of perApp)
        if (metric instanceof Counter) for (const own of values) metric.inc({ ...labels, ...own }, 0)
    dropConditions(key)
    apps.set(key, new Map(conditions.map(({ type, reason }) => [type, reason])))
    for (const { type, reason, status } of conditions)
      note('app_condition', { ...labels, type, reason }, status === 'True' ? 1 : 0)
  }

  return {
    async text(turn) {
      const texts: string[] = []
      for (const { name } of registry.getMetricsAsArray()) {
        texts.push(await registry.getSingleMetricAsString(name))
        await turn?.()
      }
      return `${texts.join('\n\n')}\n`
    },
    contentType: registry.contentType,
    appGone(app) {
      dropConditions(app)
      for (const { metric, values } of perApp) for (const own of values) metric.remove({ ...labelsOf(app), ...own })
      apps.delete(app)
    },
    note: (name, figure) => note(name, {}, figure),
    appUnread: conditions,
    reconciled(reconciled) {
      const { key } = reconciled.app
      conditions(reconciled.status)
      for (const { metric, values, of } of perApp)
        for (const own of values) put(metric, { ...labelsOf(key), ...own }, of(reconciled, Object.values(own)[0] ?? ''))
    },
    serverpilotRequest({ method, endpoint, code, seconds }) {
      const labels = { method, endpoint, code: countedCode(code) }
      note('serverpilot_requests_total', labels, 1)
      note('serverpilot_request_duration_seconds', labels, seconds)
    },
    sourceRead(source, read) {
      note('source_reads_total', { source, result: read.ok ? 'success' : 'failure' }, 1)
      if (!read.ok) return
      note('source_objects', { source }, read.objects)
      note('source_last_success_timestamp_seconds', { source }, read.at / 1000)
    },
  }
}

type Metric = Counter | Gauge | Histogram

function make({ name, type, help, appLabels, labels, buckets = [] }: MetricRow, registry: Registry): Metric {
  const labelNames = [...appLabels, ...Object.keys(labels)]
  const config = { name: METRIC_PREFIX + name, help, labelNames, registers: [registry] }
  if (type === 'counter') return new Counter(config)
  return type === 'gauge' ? new Gauge(config) : new Histogram({ ...config, buckets: [...buckets] })
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
  const { namespace, name } = splitKey(app)
  return { namespace, app: name }
}

/** Every combination of the label values that are known beforehand; one empty one when there are no labels. */
function combinations(labels: MetricRow['labels']): Labels[] {
  return Object.entries(labels).reduce<Labels[]>(
    (made, [label, values]) =>
      values === 'open' ? made : made.flatMap((one) => values.map((value) => ({ ...one, [label]: value }))),
    [{}],
  )
}

function countedCode(code: string): string {
  if (code === 'error') return 'none'
  return CODES.includes(code) ? code : 'other'
}
