import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { handedApprovals } from '../../src/setup/state-folder.ts'
import { type Bench, createBench } from './bench.ts'
import { credentialsOf, execute, launch, until } from './process.ts'

const NAMES = Array.from({ length: 12 }, (_, index) => `h${String(index).padStart(2, '0')}`)
/** Each look is a process of its own; ms. */
const PATIENCE = 60_000
const WRONG = '0000000000000000'
const NONE_WAITS = new RegExp(`No plan that waits has the hash ${WRONG}: nothing was approved\\. None waits\\.`)

/** An app of twelve hosts, of which half have lost their mapping: the plan to take them off waits. */
async function createWorld(t: TestContext): Promise<Bench> {
  const bench = await createBench(t)
  for (const name of NAMES) await bench.map(name)
  assert.equal((await bench.command(['apply'])).status, 0)
  return bench
}

const unmapHalf = async (bench: Bench): Promise<void> => {
  for (const name of NAMES.slice(0, 6)) await bench.unmap(name)
}

describe('a-mistyped-approval', () => {
  test('without a daemon: it says which plans wait, and exits with 1', async (t) => {
    const bench = await createWorld(t)
    const none = await bench.command(['apply', '--approve', WRONG])
    assert.equal(none.status, 1, none.stderr)
    assert.match(none.stderr, NONE_WAITS)
    await unmapHalf(bench)
    assert.equal((await bench.command(['apply'])).status, 3)
    const wrong = await bench.command(['apply', '--approve', WRONG])
    assert.equal(wrong.status, 1, wrong.stderr)
    const hash = /nothing was approved\. Those that wait:\n {2}wordpress\/network: ([0-9a-f]{16})\n$/.exec(
      wrong.stderr,
    )?.[1]
    assert.ok(hash, wrong.stderr)
    assert.equal(bench.listed().length, 13)
    const right = await bench.command(['apply', '--approve', hash])
    assert.equal(right.status, 0, right.stderr)
    assert.doesNotMatch(right.stderr, /No plan/)
    const again = await bench.command(['apply', '--approve', hash])
    assert.equal(again.status, 1, 'an approval serves once')
  })

  test('an app that cannot be looked at may have that plan', async (t) => {
    const bench = await createWorld(t)
    const env = { ...credentialsOf(bench.simulator), SERVERPILOT_API_KEY: 'another-key-than-that' }
    const { status, stderr } = await bench.command(['apply', '--approve', WRONG], { env })
    assert.equal(status, 1)
    assert.doesNotMatch(stderr, /No plan that waits/)
    assert.match(stderr, /CredentialsInvalid/)
  })

  test('beside a daemon: nothing is handed to it', async (t) => {
    const bench = await createWorld(t)
    const state = join(bench.root, 'state')
    const flags = ['--manifests', bench.folder, '--state-dir', state, '--serverpilot-url', bench.simulator.url]
    const env = credentialsOf(bench.simulator)
    launch(t, ['run', ...flags, '--listen', 'off'], { env })
    const waiting = async (): Promise<string | undefined> => {
      const { stdout } = await execute(t, ['status', ...flags, '-o', 'json'], { env })
      return JSON.parse(stdout).apps[0]?.plan?.hash
    }
    const looked = async () => {
      const given = await bench.command(['apply', '--approve', WRONG])
      return NONE_WAITS.test(given.stderr) && given
    }
    const none = await until('the daemon has looked', looked, PATIENCE)
    assert.equal(none.status, 1, none.stderr)
    await unmapHalf(bench)
    const hash = await until('the removals wait', waiting, PATIENCE)
    const wrong = await bench.command(['apply', '--approve', WRONG])
    assert.equal(wrong.status, 1, wrong.stderr)
    assert.match(wrong.stderr, new RegExp(`the hash ${WRONG}: .*\n {2}wordpress/network: ${hash}\n`))
    assert.deepEqual(handedApprovals(state), [])
    const right = await bench.command(['apply', '--approve', hash])
    assert.equal(right.status, 0, right.stderr)
    await until('they are gone', () => bench.listed().length === 7, PATIENCE)
  })
})
