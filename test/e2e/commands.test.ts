import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import * as z from 'zod'
import { createBench, planJson } from './bench.ts'
import { execute, launch, until } from './process.ts'

describe('commands', { concurrency: 2 }, () => {
  test('validate prints file:line:column of every fault and exits with 1', async (t) => {
    const bench = await createBench(t)
    assert.equal((await execute(t, ['validate', bench.folder])).status, 0)
    await writeFile(
      join(bench.folder, 'shop.yaml'),
      'apiVersion: domainpilot.dev/v1alpha1\nkind: DomainMapping\nmetadata: {name: shop}\nspec:\n  domian: shop.example.com\n  appRef: {name: network}\n',
    )
    const { status, stdout, stderr } = await execute(t, ['validate', bench.folder])
    assert.equal(status, 1)
    assert.match(stdout, /shop\.yaml:5:3: .*domian.*domain/)
    assert.match(stderr, /fault/)
  })

  test('import describes what is there: the first plan after it changes nothing', async (t) => {
    const domains = ['shop.example.com', 'www.shop.example.com', 'Upper.Example.org', 'xn--bcher-kva.example']
    const bench = await createBench(t, domains)
    const imported = await bench.command(['import'])
    assert.equal(imported.status, 0, imported.stderr)
    await writeFile(join(bench.folder, 'network.yaml'), imported.stdout)
    assert.equal((await execute(t, ['validate', bench.folder])).status, 0)
    const planned = await bench.command(['plan', '-o', 'json', '--exit-code'])
    assert.equal(planned.status, 0, planned.stdout)
    const changes = planJson.parse(JSON.parse(planned.stdout)).plans.flatMap((each) => each.changes)
    assert.deepEqual([...new Set(changes.map(({ action }) => action))], ['adopt'])
    assert.equal((await bench.command(['apply'])).status, 0)
    assert.equal(bench.simulator.counts().postDomains, 0)
    assert.equal((await bench.command(['plan', '--exit-code'])).status, 0)
  })

  test('check, status, explain and crds answer on standard output', async (t) => {
    const bench = await createBench(t)
    await bench.map('shop')
    await bench.command(['apply'])
    const check = await bench.command(['check'])
    assert.equal(check.status, 0, check.stderr)
    assert.match(check.stdout, /credentials accepted/)
    const status = await bench.command(['status', '-o', 'json'])
    assert.equal(status.status, 0, status.stderr)
    assert.equal(JSON.parse(status.stdout).apps[0].key, 'wordpress/network')
    const explained = await bench.command(['explain', 'shop.example.com'])
    assert.equal(explained.status, 0, explained.stderr)
    assert.match(explained.stdout, /wanted by {2}wordpress\/shop[\s\S]*held by {4}wordpress\/shop \(Held\)/)
    assert.match((await bench.command(['explain', 'other.example.com'])).stdout, /No mapping wants it/)
    const crds = await execute(t, ['crds'])
    assert.equal(crds.stdout.match(/^kind: CustomResourceDefinition$/gm)?.length, 2)
  })

  test('simulate -o json: its first line says how to use it, and SIGTERM ends it', async (t) => {
    const simulate = launch(t, ['simulate', '-o', 'json', '--app', 'network=a.example.com,b.example.com'])
    const line = await until('the first line', () => /^(.*)\n/.exec(simulate.stdout())?.[1])
    const shape = z.strictObject({
      url: z.url(),
      clientId: z.string(),
      apiKey: z.string(),
      apps: z.array(z.string()).length(1),
    })
    const { url, clientId, apiKey } = shape.parse(JSON.parse(line))
    const authorization = `Basic ${Buffer.from(`${clientId}:${apiKey}`).toString('base64')}`
    const answer = await fetch(`${url}/apps`, { headers: { authorization } })
    const body = (await answer.json()) as { data: { domains: string[] }[] }
    assert.deepEqual(body.data[0]?.domains, ['a.example.com', 'b.example.com'])
    simulate.child.kill('SIGTERM')
    assert.equal((await simulate.ended(5_000)).status, 0)
  })

  test('env-file-keeps-quotes: each variable at fault is named, no value is shown, no call is made', async (t) => {
    const bench = await createBench(t)
    const env = {
      SERVERPILOT_CLIENT_ID: '"cid_0123456789ab"\r',
      SERVERPILOT_API_KEY: "'k3yk3yk3yk3yk3y1'\r",
      SERVERPILOT_APP_ID: 'AAAAAAAAAAAAAAAA\r',
      WU_SERVER_PILOT_APP_ID: 'BBBBBBBBBBBBBBBB\r',
    }
    for (const command of ['plan', 'apply', 'check', 'import', 'run']) {
      const { status, stdout, stderr } = await bench.command([command], { env })
      assert.notEqual(status, 0)
      assert.match(stderr, /SERVERPILOT_CLIENT_ID is wrapped in quotes/)
      assert.match(stderr, /SERVERPILOT_API_KEY is wrapped in quotes/)
      assert.match(stderr, /SERVERPILOT_APP_ID and WU_SERVER_PILOT_APP_ID differ/)
      assert.doesNotMatch(stdout + stderr, /cid_0123|k3yk3y|401/)
    }
    assert.equal(bench.simulator.calls.length, 0)
    const { clientId, apiKey } = bench.simulator
    const ended = { SERVERPILOT_CLIENT_ID: `${clientId}\r`, SERVERPILOT_API_KEY: `${apiKey}\r` }
    assert.equal((await bench.command(['plan'], { env: ended })).status, 0)
  })
})
