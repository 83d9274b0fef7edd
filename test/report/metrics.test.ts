import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import type { App } from '../../src/api/objects.ts'
import type { Host } from '../../src/domain/host.ts'
import type { Plan } from '../../src/plan/plan.ts'
import { createMetrics } from '../../src/report/metrics.ts'
import { METRICS, metricsDocs } from '../../src/report/metrics-table.ts'
import type { HostChecks } from '../../src/status/host-checks.ts'
import { type Outcome, outcomeOf } from '../../src/status/outcome.ts'
import type { AppStatus, Condition, MappingStatus } from '../../src/status/status.ts'
import type { Reconciled } from '../../src/status/store.ts'
import { blankAppStatus } from '../../src/status/unserved.ts'

const APP = 'wordpress/network'
const LABELS = 'namespace="wordpress",app="network"'
const NOTHING_SEEN = blankAppStatus({ key: APP, place: '' })
const make = () => createMetrics({ version: '0.1.0', sources: ['manifests'], process: false })
const lines = async (metrics: ReturnType<typeof make>) =>
  (await metrics.text()).split('\n').filter((line) => line && !line.startsWith('#'))

const condition = (status: Condition['status'], reason: string): Condition => ({
  type: 'Ready',
  status,
  reason,
  message: '',
  observedGeneration: 1,
  lastTransitionTime: 0,
})

/** A reconcile of an app that ended so, with figures that differ from one another. */
function reconciled(more: Partial<Outcome> = {}, status: Partial<AppStatus> = {}, app = APP): Reconciled {
  const outcome = { ...outcomeOf({ key: app, startedAt: 2_000 }), result: 'Unchanged' as const, ...more }
  return {
    app: { key: app } as App,
    outcome,
    checks: { uncovered: () => 1, failing: () => 0 } as HostChecks,
    status: { ...NOTHING_SEEN, domains: { desired: 1, observed: 2, owned: 3, foreign: 4 }, ...status },
    mappings: [],
  }
}
test('first-failure-is-not-counted (a): every counter is there at 0 in the first scrape, times are absent', async () => {
  const metrics = make()
  metrics.reconciled(reconciled())
  const text = await metrics.text()
  for (const line of [
    `domainpilot_app_writes_contended_total{${LABELS}} 0`,
    ...['add', 'remove', 'adopt', 'release'].map(
      (action) => `domainpilot_host_changes_total{${LABELS},action="${action}"} 0`,
    ),
    ...['applied', 'refused', 'failed'].map((result) => `domainpilot_reconcile_total{${LABELS},result="${result}"} 0`),
    'domainpilot_source_reads_total{source="manifests",result="failure"} 0',
    'domainpilot_serverpilot_requests_total{method="POST",endpoint="/apps/:id",code="500"} 0',
    'domainpilot_serverpilot_requests_total{method="GET",endpoint="/apps",code="none"} 0',
    'domainpilot_workqueue_retries_total 0',
  ]) {
    assert.ok(text.includes(`${line}\n`), line)
  }
  assert.doesNotMatch(text, /^domainpilot_\w*(success|expiry)_timestamp_seconds[ {]/m)

  metrics.serverpilotRequest({ method: 'POST', endpoint: '/apps/:id', code: '500', seconds: 0.03 })
  metrics.reconciled(reconciled({ result: 'Failed', endedAt: 3_500 }))
  const then = await metrics.text()
  assert.match(then, /requests_total\{method="POST",endpoint="\/apps\/:id",code="500"\} 1\n/)
  assert.match(then, /reconcile_total\{[^}]*result="failed"\} 1\n/)
  assert.match(then, /reconcile_duration_seconds_sum\{[^}]*result="failed"\} 1.5\n/)
})

test('first-failure-is-not-counted (b): a standby has leader 0 and no series per app', async () => {
  const text = (await lines(make())).join('\n')
  assert.match(text, /^domainpilot_leader 0$/m)
  assert.doesNotMatch(text, /namespace=/)
})

test('figures of an app, and none left when it goes', async () => {
  const metrics = make()
  const refused = { hash: 'x', removals: ['a', 'b'], reason: 'RemovalRefused', message: '', diff: '' }
  const contended = { reason: 'Contended', message: '', retryable: true } as const
  const held = new Map([
    ['off', { reason: 'Quarantined', of: 'addition' }],
    ['going', { reason: 'Quarantined', of: 'removal' }],
    ['later', { reason: 'AwaitingDNS', of: 'addition' }],
  ])
  const plan = { additions: [1], removals: [], waiting: ['a', 'b'], held } as unknown as Plan
  const added = ['a', 'b', 'c'] as unknown as Host[]
  metrics.reconciled(
    reconciled(
      { added, failure: contended, plan },
      {
        plan: refused,
        conditions: [condition('False', 'RemovalRefused')],
        lastSuccess: 1_500,
        certificate: { notBefore: 1_000, notAfter: 9_000, covered: [], uncovered: [] },
      },
    ),
  )
  let text = await metrics.text()
  for (const line of [
    `app_hosts{${LABELS},kind="foreign"} 4`,
    `app_pending_changes{${LABELS},action="remove"} 2`,
    `app_last_attempt_timestamp_seconds{${LABELS}} 2`,
    `app_last_success_timestamp_seconds{${LABELS}} 1.5`,
    `app_certificate_expiry_timestamp_seconds{${LABELS}} 9`,
    `app_certificate_overdue_timestamp_seconds{${LABELS}} 7`,
    `app_certificate_urgent_timestamp_seconds{${LABELS}} 8.2`,
    `app_condition{${LABELS},type="Ready",reason="RemovalRefused"} 0`,
    `app_removals_refused{${LABELS}} 1`,
    `app_quarantined_hosts{${LABELS}} 1`,
    `app_uncovered_hosts{${LABELS}} 1`,
    `app_writes_contended_total{${LABELS}} 1`,
    `host_changes_total{${LABELS},action="add"} 3`,
  ])
    assert.ok(text.includes(`${line}\n`), line)

  metrics.reconciled(reconciled({}, { conditions: [condition('True', 'Succeeded')] }))
  text = await metrics.text()
  assert.deepEqual(text.match(/app_condition\{.*type="Ready".*/g), [
    `app_condition{${LABELS},type="Ready",reason="Succeeded"} 1`,
  ])
  assert.doesNotMatch(text, /certificate_(?:expiry|overdue|urgent)_timestamp_seconds\{/)
  assert.ok(text.includes(`app_removals_refused{${LABELS}} 0\n`))
  assert.ok(text.includes(`app_pending_changes{${LABELS},action="remove"} 2\n`), 'what is not known stays')

  metrics.reconciled(reconciled({}, {}, 'other/app'))
  metrics.appGone(APP)
  text = (await lines(metrics)).join('\n')
  assert.doesNotMatch(text, /namespace="wordpress"/)
  assert.match(text, /namespace="other"/)
})

test('an app that never was valid has its conditions, until it goes', async () => {
  const metrics = make()
  metrics.appUnread({ key: APP, conditions: [{ ...condition('False', 'InvalidSpec'), type: 'Accepted' }] } as AppStatus)
  assert.ok((await metrics.text()).includes('type="Accepted",reason="InvalidSpec"} 0\n'))
  metrics.appGone(APP)
  assert.doesNotMatch(await metrics.text(), /InvalidSpec/)
})

test('mappings by their Ready', async () => {
  const metrics = make()
  const mapping = (...conditions: Condition[]) => ({ conditions }) as MappingStatus
  const mappings = [
    mapping(condition('True', 'Succeeded')),
    mapping(condition('False', 'NoRecords')),
    mapping(condition('True', 'Succeeded')),
    mapping(),
  ]
  metrics.reconciled({ ...reconciled(), mappings })
  const text = await metrics.text()
  assert.ok(text.includes(`mappings{${LABELS},ready="true"} 2\n`))
  assert.ok(text.includes(`mappings{${LABELS},ready="false"} 1\n`))
  assert.ok(text.includes(`mappings{${LABELS},ready="unknown"} 1\n`))
})

test('a status that nobody listed makes no new label value', async () => {
  const metrics = make()
  metrics.serverpilotRequest({ method: 'GET', endpoint: '/apps', code: '418', seconds: 0.001 })
  metrics.serverpilotRequest({ method: 'GET', endpoint: '/apps', code: 'error', seconds: 0.001 })
  const text = await metrics.text()
  assert.match(text, /endpoint="\/apps",code="other"\} 1\n/)
  assert.match(text, /endpoint="\/apps",code="none"\} 1\n/)
})

test('the documentation names every metric', () => {
  for (const name of Object.keys(METRICS)) assert.ok(metricsDocs().includes(`\`domainpilot_${name}\``), name)
})

test('two sets of metrics are strangers', async () => {
  const [one, two] = [make(), make()]
  one.note('workqueue_adds_total', 1)
  assert.match(await two.text(), /workqueue_adds_total 0\n/)
})

const promtool = spawnSync('promtool', ['--version']).status === 0
test('promtool has nothing against them', {
  skip: !promtool && 'needs promtool: apt-get install prometheus',
}, async () => {
  const metrics = make()
  metrics.reconciled(reconciled({ result: 'Applied' }, { conditions: [condition('True', 'Succeeded')] }))
  metrics.sourceRead('manifests', { ok: true, objects: 3, at: 1_000 })
  metrics.serverpilotRequest({ method: 'GET', endpoint: '/apps', code: '200', seconds: 0.001 })
  const checked = spawnSync('promtool', ['check', 'metrics'], { input: await metrics.text(), encoding: 'utf8' })
  assert.equal(checked.stderr + checked.stdout, '')
  assert.equal(checked.status, 0)
})
