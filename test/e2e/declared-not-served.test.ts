import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { applyJson, createBench, planJson } from './bench.ts'

const LOST =
  /wordpress\/lost \(.*\): AppNotFound: There is no ServerPilotApp wordpress\/shpo\. Create it, or correct spec\.appRef\./

describe('declared-but-not-served', () => {
  test('a mapping without an app: plan, apply, check and status say so, and end with 1', async (t) => {
    const bench = await createBench(t)
    await bench.map('shop')
    assert.equal((await bench.command(['apply'])).status, 0)
    assert.equal((await bench.command(['status', '--exit-code'])).status, 0)
    await bench.map('lost', { appRef: { name: 'shpo' } })
    for (const words of [['plan'], ['plan', '--exit-code'], ['apply']]) {
      const { status, stderr } = await bench.command(words)
      assert.equal(status, 1, words.join(' '))
      assert.match(stderr, LOST)
    }
    for (const [command, shape] of [
      ['plan', planJson],
      ['apply', applyJson],
    ] as const) {
      const { errors } = shape.parse(JSON.parse((await bench.command([command, '-o', 'json'])).stdout))
      assert.deepEqual(
        errors.map(({ mapping, reason }) => [mapping, reason]),
        [['wordpress/lost', 'AppNotFound']],
      )
    }
    const checked = await bench.command(['check'])
    assert.equal(checked.status, 1)
    assert.match(checked.stdout, /mapping wordpress\/lost.*AppNotFound: There is no ServerPilotApp wordpress\/shpo/)
    const status = await bench.command(['status', '--exit-code'])
    assert.equal(status.status, 1)
    assert.match(status.stdout, /The app is ready, 1 mapping not accepted/)
    assert.equal((await bench.command(['status'])).status, 0)
  })

  test('a conflict ends with 1', async (t) => {
    const bench = await createBench(t)
    await bench.map('shop')
    assert.equal((await bench.command(['apply'])).status, 0)
    await bench.map('twin', { domain: 'shop.example.com' })
    for (const command of ['plan', 'apply']) {
      const { status, stdout } = await bench.command([command])
      assert.equal(status, 1, command)
      assert.match(stdout, /! mapping wordpress\/twin: Conflict: /)
    }
    const { status, stdout } = await bench.command(['status', '--exit-code'])
    assert.equal(status, 1)
    assert.match(stdout, /1 mapping not accepted/)
    await bench.unmap('twin')
    assert.equal((await bench.command(['plan', '--exit-code'])).status, 0)
  })

  test('no app at all', async (t) => {
    const bench = await createBench(t)
    await rm(join(bench.folder, 'network.yaml'))
    await bench.map('lost', { appRef: { name: 'shpo' } })
    for (const command of ['plan', 'apply', 'check']) assert.equal((await bench.command([command])).status, 1, command)
    const { status, stdout } = await bench.command(['status', '--exit-code'])
    assert.equal(status, 1)
    assert.match(stdout, /No apps yet, 1 mapping not accepted/)
  })
})
