import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { createMetrics, metricsDocs } from '../../src/report/metrics.ts'
import { METRICS } from '../../src/report/metrics-table.ts'

const APP = 'wordpress/network'
const LABELS = 'namespace="wordpress",app="network"'
const make = () => createMetrics({ version: '0.1.0', sources: ['manifests'], process: false })
const lines = async (metrics: ReturnType<typeof make>) =>
  (await metrics.text()).split('\n').filter((line) => line && !line.startsWith('#'))

test('first-failure-is-not-counted (a): every counter is there at 0 in the first scrape, times are absent', async () => {
  const metrics = make()
  metrics.appSeen(APP)
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
  assert.doesNotMatch(text, /^domainpilot_\w*timestamp_seconds[ {]/m)

  metrics.serverpilotRequest({ method: 'POST', endpoint: '/apps/:id', status: 500, duration: 30 })
  metrics.reconciled(APP, 'failed', 1_500)
  const then = await metrics.text()
  assert.match(then, /requests_total\{method="POST",endpoint="\/apps\/:id",code="500"\} 1\n/)
  assert.match(then, /reconcile_total\{[^}]*result="failed"\} 1\n/)
})

test('first-failure-is-not-counted (b): a standby has leader 0 and no series per app, also when work ends late', async () => {
  const metrics = make()
  metrics.leading()
  metrics.appSeen(APP)
  metrics.app(APP, figures())
  metrics.reconciled(APP, 'applied', 10)
  metrics.standby()
  metrics.reconciled(APP, 'failed', 10)
  metrics.app(APP, figures())
  const text = (await lines(metrics)).join('\n')
  assert.match(text, /^domainpilot_leader 0$/m)
  assert.doesNotMatch(text, /namespace=/)
})

test('figures of an app, and none left when it goes', async () => {
  const metrics = make()
  metrics.appSeen(APP)
  metrics.app(APP, figures())
  metrics.writeContended(APP)
  metrics.hostsChanged(APP, 'add', 3)
  let text = await metrics.text()
  assert.ok(text.includes(`app_hosts{${LABELS},kind="foreign"} 4\n`))
  assert.ok(text.includes(`app_last_success_timestamp_seconds{${LABELS}} 1.5\n`))
  assert.ok(text.includes(`app_condition{${LABELS},type="Ready",reason="RemovalRefused"} 0\n`))
  assert.ok(text.includes(`host_changes_total{${LABELS},action="add"} 3\n`))

  const ready = {
    type: 'Ready',
    status: 'True',
    reason: 'Succeeded',
    message: '',
    observedGeneration: 1,
    lastTransitionTime: 0,
  } as const
  metrics.app(APP, { conditions: [ready], certificateNotAfter: null, removalsRefused: false })
  text = await metrics.text()
  assert.deepEqual(text.match(/app_condition\{.*type="Ready".*/g), [
    `app_condition{${LABELS},type="Ready",reason="Succeeded"} 1`,
  ])
  assert.doesNotMatch(text, /certificate_expiry_timestamp_seconds\{/)
  assert.ok(text.includes(`app_removals_refused{${LABELS}} 0\n`))

  metrics.appSeen('other/app')
  metrics.appGone(APP)
  text = (await lines(metrics)).join('\n')
  assert.doesNotMatch(text, /namespace="wordpress"/)
  assert.match(text, /namespace="other"/)
})

test('a status that nobody listed makes no new label value', async () => {
  const metrics = make()
  metrics.serverpilotRequest({ method: 'GET', endpoint: '/apps', status: 418, duration: 1 })
  metrics.serverpilotRequest({ method: 'GET', endpoint: '/apps', duration: 1 })
  const text = await metrics.text()
  assert.match(text, /endpoint="\/apps",code="other"\} 1\n/)
  assert.match(text, /endpoint="\/apps",code="none"\} 1\n/)
})

test('the documentation names every metric', () => {
  for (const name of Object.keys(METRICS)) assert.ok(metricsDocs().includes(`\`domainpilot_${name}\``), name)
})

test('two sets of metrics are strangers', async () => {
  const [one, two] = [make(), make()]
  one.queueAdded()
  assert.match(await two.text(), /workqueue_adds_total 0\n/)
})

const promtool = spawnSync('promtool', ['--version']).status === 0
test('promtool has nothing against them', {
  skip: !promtool && 'needs promtool: apt-get install prometheus',
}, async () => {
  const metrics = make()
  metrics.appSeen(APP)
  metrics.app(APP, figures())
  metrics.reconciled(APP, 'applied', 10)
  metrics.sourceRead('manifests', { ok: true, objects: 3, at: 1_000 })
  metrics.serverpilotRequest({ method: 'GET', endpoint: '/apps', status: 200, duration: 1 })
  const checked = spawnSync('promtool', ['check', 'metrics'], { input: await metrics.text(), encoding: 'utf8' })
  assert.equal(checked.stderr + checked.stdout, '')
  assert.equal(checked.status, 0)
})

function figures() {
  return {
    hosts: { desired: 1, observed: 2, owned: 3, foreign: 4 },
    pending: { add: 1, remove: 2 },
    removalsRefused: true,
    conditions: [
      {
        type: 'Ready',
        status: 'False',
        reason: 'RemovalRefused',
        message: '',
        observedGeneration: 1,
        lastTransitionTime: 0,
      },
    ] as const,
    lastAttempt: 2_000,
    lastSuccess: 1_500,
    certificateNotAfter: 9_000,
    uncoveredHosts: 1,
    dnsFailingHosts: 0,
    mappings: { true: 3, false: 1, unknown: 0 },
  }
}
