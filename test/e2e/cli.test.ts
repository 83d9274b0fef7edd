import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { names } from '../controller/world.ts'
import { applyJson, createBench, planJson } from './bench.ts'
import { credentialsOf, execute } from './process.ts'

describe('plan and apply', { concurrency: 2 }, () => {
  test('results go to standard output in the promised shape, and the exit status says how it went', async (t) => {
    const bench = await createBench(t)
    await bench.map('shop')
    await bench.map('bad', { domain: 'bad_name.example.com' })
    const planned = await bench.command(['plan', '-o', 'json'])
    assert.equal(planned.status, 1, planned.stderr)
    const [first] = planJson.parse(JSON.parse(planned.stdout)).plans
    assert.deepEqual(first?.changes, [{ action: 'add', host: 'shop.example.com', mapping: 'wordpress/shop' }])
    assert.deepEqual(first.foreign, ['by-hand.example.org'])
    assert.deepEqual(
      first.rejectedMappings.map(({ mapping, reason }) => [mapping, reason]),
      [['wordpress/bad', 'InvalidDomain']],
    )
    await bench.unmap('bad')
    assert.equal((await bench.command(['plan', '--exit-code'])).status, 2)
    assert.equal(bench.simulator.counts().postDomains, 0)

    const done = await bench.command(['apply', '-o', 'json'])
    assert.equal(done.status, 0, done.stderr)
    const [result] = applyJson.parse(JSON.parse(done.stdout)).plans
    assert.equal(result?.outcome, 'Applied')
    assert.deepEqual(result.added, ['shop.example.com'])
    assert.deepEqual(bench.listed(), ['by-hand.example.org', 'shop.example.com'])
    const again = await bench.command(['apply', '-o', 'json'])
    assert.equal(applyJson.parse(JSON.parse(again.stdout)).plans[0]?.outcome, 'Unchanged')
    assert.equal((await bench.command(['plan', '--exit-code'])).status, 0)
    assert.equal(bench.simulator.counts().postDomains, 1)
  })

  test('a refused apply exits with 3 and prints the hash; approving it lets exactly these go', async (t) => {
    const bench = await createBench(t)
    for (const name of names(12)) await bench.map(name)
    assert.equal((await bench.command(['apply'])).status, 0)
    for (const name of names(5)) await bench.unmap(name)
    await bench.map('late')
    const refused = await bench.command(['apply'])
    assert.equal(refused.status, 3, refused.stderr)
    const hash = /approve ([0-9a-f]{16})/.exec(refused.stdout)?.[1]
    assert.ok(hash, refused.stdout)
    assert.equal(bench.listed().length, 14)
    const data = applyJson.parse(JSON.parse((await bench.command(['apply', '-o', 'json'])).stdout)).plans[0]
    assert.equal(data?.outcome, 'Refused')
    assert.equal(data.refused?.reason, 'RemovalRefused')
    assert.equal(data.hash, hash)
    assert.equal((await bench.command(['apply', '--approve', '0123456789abcdef'])).status, 1)
    const approved = await bench.command(['apply', '--approve', hash])
    assert.equal(approved.status, 0, approved.stderr)
    const kept = [...names(12).slice(5), 'late'].map((name) => `${name}.example.com`)
    assert.deepEqual(bench.listed(), ['by-hand.example.org', ...kept].sort())
  })

  test('what fails exits with 1, says so on standard error, and still prints a result', async (t) => {
    const bench = await createBench(t)
    await bench.map('shop')
    const env = { ...credentialsOf(bench.simulator), SERVERPILOT_API_KEY: 'another-key-than-that' }
    for (const command of ['plan', 'apply']) {
      const failed = await bench.command([command, '-o', 'json'], { env })
      assert.equal(failed.status, 1)
      assert.equal(planJson.parse(JSON.parse(failed.stdout)).errors[0]?.reason, 'CredentialsInvalid')
      assert.match(failed.stderr, /wordpress\/network: CredentialsInvalid/)
    }
    assert.equal((await bench.command(['check'], { env })).status, 1)
    const missing = await execute(
      t,
      ['plan', '--manifests', join(bench.root, 'nowhere'), '--serverpilot-url', bench.simulator.url],
      { env: credentialsOf(bench.simulator), cwd: bench.root },
    )
    assert.equal(missing.status, 1)
    assert.match(missing.stderr, /nowhere/)
    await writeFile(join(bench.root, 'a-file'), '')
    const unusable = await execute(
      t,
      ['apply', '--state-dir', join(bench.root, 'a-file'), '--manifests', bench.folder],
      { env: credentialsOf(bench.simulator) },
    )
    assert.equal(unusable.status, 1)
    assert.match(unusable.stderr, /state folder .*a-file cannot be used/)
  })

  test('wrong usage exits with 64 and names what is wrong', async (t) => {
    const cases: [string[], RegExp][] = [
      [['plan', '--no-such-flag'], /--no-such-flag/],
      [['frobnicate'], /frobnicate/],
      [['explain'], /host/],
      [['plan', '-o', 'yaml'], /text, json/],
      [['run', '--sweep-schedule', 'every day'], /--sweep-schedule/],
      [['plan', '--serverpilot-url', 'http://api.example.com/v1'], /--serverpilot-url/],
      [['run', '--listen', 'nonsense'], /--listen/],
      [['explain', 'not_a_host'], /_/],
    ]
    for (const [args, words] of cases) {
      const { status, stdout, stderr } = await execute(t, args)
      assert.equal(status, 64, `${args.join(' ')}: ${stderr}`)
      assert.match(stderr, words)
      assert.equal(stdout, '')
    }
    assert.equal((await execute(t, ['--help'])).status, 0)
    assert.match((await execute(t, ['--version'])).stdout, /^\d+\.\d+\.\d+\n$/)
  })
})

describe('a-rejected-host-is-an-error', { concurrency: 2 }, () => {
  const NAMES = names(41)
  const REFUSED = 'h017.example.com'

  test('apply names it with the words of ServerPilot, and exits with 1; so does the next one, within its pause', async (t) => {
    const bench = await createBench(t, undefined, { behaviours: { rejectedNames: [REFUSED] } })
    for (const name of NAMES) await bench.map(name)
    const first = await bench.command(['apply'])
    assert.equal(first.status, 1)
    assert.match(first.stdout, /Applied: 40 added, 0 removed/)
    assert.match(first.stdout, /! Rejected: not added: ServerPilot refuses it: .*\n +h017\.example\.com/)
    assert.match(
      first.stderr,
      /wordpress\/network: Rejected: 1 host not added.*\n +h017\.example\.com: ServerPilot refuses it: ./,
    )
    const next = await bench.command(['apply', '-o', 'json'])
    assert.equal(next.status, 1)
    const { plans, errors } = applyJson.parse(JSON.parse(next.stdout))
    assert.deepEqual(
      plans[0]?.held.map(({ host, reason }) => [host, reason]),
      [[REFUSED, 'Rejected']],
    )
    assert.deepEqual(
      errors.map(({ app, reason }) => [app, reason]),
      [['wordpress/network', 'Rejected']],
    )
  })

  test('more than a few are counted', async (t) => {
    const bench = await createBench(t, ['by-hand.example.org'], {
      behaviours: { rejectedNames: NAMES.slice(0, 11).map((name) => `${name}.example.com`), quotedNames: 'all' },
    })
    for (const name of NAMES) await bench.map(name)
    const { status, stderr } = await bench.command(['apply'])
    assert.equal(status, 1)
    assert.match(stderr, /11 hosts not added[\s\S]*h010\.example\.com: [^\n]*\n {2}and 1 more\n/)
  })
})
