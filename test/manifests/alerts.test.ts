import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { parse, stringify } from 'yaml'
import { renewalOf } from '../../src/check/certificate.ts'
import { METRIC_PREFIX, METRICS } from '../../src/report/metrics-table.ts'
import { OTHERS_TURN } from '../../src/status/synced.ts'

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, '../..')
const HOW = 'promtool is not installed: apt-get install prometheus, or put promtool on the PATH'

interface Rule {
  alert: string
  expr: string
  annotations: { summary?: string; description?: string; runbook?: string }
}

async function rules(): Promise<{ spec: { groups: { rules: Rule[] }[] } }> {
  return parse(await readFile(join(ROOT, 'manifests/monitoring/prometheus-rule.yaml'), 'utf8'))
}

async function alerts(): Promise<Rule[]> {
  return (await rules()).spec.groups.flatMap((group) => group.rules)
}

/** What `promtool test rules` prints, also when expectations fail. */
async function promtool(folder: string): Promise<string> {
  const file = join(folder, 'alerts.yaml')
  const ended = await run('promtool', ['test', 'rules', file]).catch(
    (error: { stdout: string; stderr: string }) => error,
  )
  return `${ended.stdout}\n${ended.stderr}`
}

/** Lifetimes in days; how much of each is left while it is well, at the latest. */
const LIVES = {
  d90: [90, 0.32],
  d64: [64, 0.32],
  d47: [47, 0.32],
  d45: [45, 0.32],
  d6: [6.67, 0.47],
  d365: [365, 0.32],
}

/** A test for promtool, whose time begins at 0: each lifetime in three stages, and what fires after two hours. */
function testOfLives(): object {
  const fired = { overdue: [] as object[], urgent: [] as object[] }
  const series = Object.entries(LIVES).flatMap(([name, [days = 0, well = 0]]) => {
    const life = days * 86_400
    const { overdueAt, urgentAt } = renewalOf({ notBefore: 0, notAfter: life })
    const [overdue, urgent] = [life - overdueAt, life - urgentAt]
    return Object.entries({ well: life * well, overdue: overdue * 0.95, urgent: urgent * 0.95 }).flatMap(
      ([stage, left]) => {
        const app = `${name}-${stage}`
        if (stage !== 'well') fired.overdue.push({ exp_labels: { severity: 'warning', namespace: 'w', app } })
        if (stage === 'urgent') fired.urgent.push({ exp_labels: { severity: 'critical', namespace: 'w', app } })
        const of = (metric: string, at: number) => ({
          series: `domainpilot_app_certificate_${metric}_timestamp_seconds{namespace="w", app="${app}"}`,
          values: `${Math.round(at)}x30`,
        })
        return [of('expiry', left), of('overdue', left - overdue), of('urgent', left - urgent)]
      },
    )
  })
  const expect = (alertname: string, exp_alerts: object[]) => ({ eval_time: '2h', alertname, exp_alerts })
  return {
    rule_files: ['rules.yaml'],
    evaluation_interval: '5m',
    tests: [
      {
        interval: '5m',
        input_series: series,
        alert_rule_test: [
          expect('DomainpilotCertificateExpiring', fired.overdue),
          expect('DomainpilotCertificateExpiresNow', fired.urgent),
        ],
      },
    ],
  }
}

interface UnitTests {
  tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[]
}

describe('alerts', () => {
  test('no alert about certificates has a number of days: the daemon says when a renewal is overdue', async () => {
    for (const { alert, expr, annotations } of await alerts())
      if (alert.includes('Certificate')) assert.doesNotMatch(`${expr} ${annotations.description}`, /[1-9]/, alert)
  })

  test('lifetimes-of-64-45-and-6-days: promtool on certificates of six lifetimes, well, overdue and urgent', async (t) => {
    const there = await run('promtool', ['--version']).catch(() => undefined)
    if (there === undefined) return t.skip(HOW)
    const folder = await mkdtemp(join(tmpdir(), 'domainpilot-lives-'))
    t.after(() => rm(folder, { recursive: true, force: true }))
    const { spec } = await rules()
    for (const group of spec.groups) for (const rule of group.rules) rule.annotations = {}
    await writeFile(join(folder, 'rules.yaml'), stringify(spec))
    await writeFile(join(folder, 'alerts.yaml'), stringify(testOfLives()))
    assert.match(await promtool(folder), /SUCCESS/)
  })

  test('promtool: each fires when it should, and only then', async (t) => {
    const there = await run('promtool', ['--version']).catch(() => undefined)
    if (there === undefined) return t.skip(HOW)
    const folder = await mkdtemp(join(tmpdir(), 'domainpilot-alerts-'))
    t.after(() => rm(folder, { recursive: true, force: true }))
    const { spec } = await rules()
    await copyFile(join(import.meta.dirname, 'alerts.yaml'), join(folder, 'alerts.yaml'))
    await writeFile(join(folder, 'rules.yaml'), stringify(spec))
    await run('promtool', ['check', 'rules', '--lint-fatal', join(folder, 'rules.yaml')])
    const words = await promtool(folder)
    assert.match(words, /summary="no replica of domainpilot leads"/)
    assert.doesNotMatch(words, /error expanding/)

    // A unit test would have to repeat every word of the annotations: without them, only what fires is compared.
    for (const group of spec.groups) for (const rule of group.rules) rule.annotations = {}
    await writeFile(join(folder, 'rules.yaml'), stringify(spec))
    assert.match(await promtool(folder), /SUCCESS/)
  })

  test('every alert is tested firing and not firing', async () => {
    const { tests }: UnitTests = parse(await readFile(join(import.meta.dirname, 'alerts.yaml'), 'utf8'))
    const all = tests.flatMap((each) => each.alert_rule_test)
    for (const { alert } of await alerts()) {
      const own = all.filter((each) => each.alertname === alert)
      assert.ok(
        own.some((each) => each.exp_alerts.length > 0),
        `${alert} is never seen firing`,
      )
      assert.ok(
        own.some((each) => each.exp_alerts.length === 0),
        `${alert} is never seen silent`,
      )
    }
  })

  test('every alert says what is so and what to do, and names a place that exists', async () => {
    const table = await readFile(join(ROOT, 'docs/monitoring.md'), 'utf8')
    for (const { alert, annotations } of await alerts()) {
      assert.ok(annotations.summary && annotations.description, alert)
      const [path = '', anchor = ''] = annotations.runbook?.split('#') ?? []
      const page = await readFile(join(ROOT, path), 'utf8')
      const anchors = [...page.matchAll(/^#+ (.+)$/gm)].map((each) => each[1]?.toLowerCase().replaceAll(' ', '-'))
      assert.ok(anchors.includes(anchor), `${alert}: ${path} has no #${anchor}`)
      assert.ok(table.includes(`| \`${alert}\` |`), `docs/monitoring.md does not list ${alert}`)
    }
  })

  test('a-customers-turn-is-no-alert: each reason that waits for a customer or for time is silent', async () => {
    const rule = (await alerts()).find(({ alert }) => alert === 'DomainpilotAppNotSynced')
    const silent = /reason!~"([^"]+)"/.exec(rule?.expr ?? '')?.[1]?.split('|') ?? []
    for (const reason of OTHERS_TURN) assert.ok(silent.includes(reason), reason)
  })

  test('every metric that they name is one of ours', async () => {
    const known = new Set(Object.keys(METRICS).map((name) => `${METRIC_PREFIX}${name}`))
    for (const { alert, expr } of await alerts())
      for (const [name] of expr.matchAll(/domainpilot_\w+/g)) assert.ok(known.has(name), `${alert} names ${name}`)
  })
})
