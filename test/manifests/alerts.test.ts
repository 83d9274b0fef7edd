import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { parse, stringify } from 'yaml'
import { EXPIRING_MS } from '../../src/check/certificate.ts'
import { METRIC_PREFIX, METRICS } from '../../src/report/metrics-table.ts'

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

interface UnitTests {
  tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[]
}

describe('alerts', () => {
  test('a certificate ends soon when the condition says so', async () => {
    const expiring = (await alerts()).find(({ alert }) => alert === 'DomainpilotCertificateExpiring')
    assert.match(expiring?.expr ?? '', new RegExp(`< ${EXPIRING_MS / 86_400_000} \\* 86400$`))
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

  test('every metric that they name is one of ours', async () => {
    const known = new Set(Object.keys(METRICS).map((name) => `${METRIC_PREFIX}${name}`))
    for (const { alert, expr } of await alerts())
      for (const [name] of expr.matchAll(/domainpilot_\w+/g)) assert.ok(known.has(name), `${alert} names ${name}`)
  })
})
