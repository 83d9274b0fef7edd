import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { type Bench, createBench } from './bench.ts'
import { launch, until } from './process.ts'

const CLIENT_ID = 'cid_0123456789ab'
const KEY = 'q7hT2mZx9LwB4cVn1KsR8dYp3JfG6aEu0QoX5tUi'
const SPELLINGS = [KEY, Buffer.from(KEY).toString('base64'), Buffer.from(`${KEY}:`).toString('base64').slice(0, -4)]

const COMMANDS = [
  ...[['plan'], ['plan', '-o', 'json'], ['apply', '-o', 'json'], ['check'], ['check', 'shop.example.com'], ['import']],
  ...[
    ['status', '--fresh'],
    ['explain', 'shop.example.com'],
    ['explain', 'shop.example.com', '-o', 'json'],
  ],
]

/** A simulator that knows neither, and repeats what it is told. */
async function strangers(t: TestContext): Promise<Bench> {
  const bench = await createBench(t, ['by-hand.example.org'], { clientId: 'cid_other', apiKey: 'another-key' })
  await bench.map('shop')
  return bench
}

function assertClean(what: string, text: string): void {
  for (const needle of SPELLINGS) assert.ok(!text.includes(needle), `${what}: ${text}`)
}

/** Runs every command; what all of them print, without the key, is given back. */
async function say(bench: Bench, env: Record<string, string>, commands = COMMANDS): Promise<string[]> {
  const said: string[] = []
  for (const command of commands) {
    const { status, stdout, stderr } = await bench.command([...command, '--log-level', 'debug'], { env })
    if (command[0] !== 'status' && command[0] !== 'explain') assert.notEqual(status, 0, command.join(' '))
    assertClean(command.join(' '), stdout + stderr)
    said.push(stdout + stderr)
  }
  return said
}

describe('swapped-credentials', { concurrency: 2 }, () => {
  test('client id and key the wrong way round: said, with no call and no key', async (t) => {
    const bench = await strangers(t)
    const env = { SERVERPILOT_CLIENT_ID: KEY, SERVERPILOT_API_KEY: CLIENT_ID }
    for (const text of await say(bench, env)) assert.match(text, /wrong way round/)
    assert.equal(bench.simulator.calls.length, 0)
  })

  test('the key in both places: the client id is not shown', async (t) => {
    const bench = await strangers(t)
    const said = await say(bench, { SERVERPILOT_CLIENT_ID: KEY, SERVERPILOT_API_KEY: KEY })
    assert.match(said[0] as string, /credentials of client \[redacted\] \(the environment\)/)
  })

  test('the key as the client id, and something else as the key; the API repeats both', async (t) => {
    const bench = await strangers(t)
    const message = `Echo: ${KEY} ${Buffer.from(KEY).toString('base64')}`
    bench.simulator.faults.add({ kind: 'status', status: 500, times: 'always', message })
    await say(bench, { SERVERPILOT_CLIENT_ID: KEY, SERVERPILOT_API_KEY: 'another' })
  })

  test('a client id that looks like one is shown', async (t) => {
    const bench = await strangers(t)
    const env = { SERVERPILOT_CLIENT_ID: CLIENT_ID, SERVERPILOT_API_KEY: KEY }
    assert.match((await bench.command(['plan'], { env })).stderr, /credentials of client cid_0123456789ab/)
  })

  for (const variable of ['SERVERPILOT_API_KEY', 'SERVERPILOT_CLIENT_ID', 'WU_SERVER_PILOT_API_KEY'])
    test(`${variable}_FILE is the key itself, not the path of its file`, async (t) => {
      const bench = await strangers(t)
      const env = { SERVERPILOT_CLIENT_ID: CLIENT_ID, [`${variable}_FILE`]: KEY }
      for (const text of await say(bench, env, [['plan'], ['check']]))
        assert.match(text, new RegExp(`${variable}_FILE: the file \\[redacted\\] .+ cannot be read \\(ENOENT\\)`))
    })

  test('the key as the id of the app', async (t) => {
    const bench = await strangers(t)
    const env = { SERVERPILOT_CLIENT_ID: CLIENT_ID, SERVERPILOT_API_KEY: KEY, SERVERPILOT_APP_ID: KEY }
    for (const text of await say(bench, env, [['plan'], ['import']]))
      assert.match(text, /SERVERPILOT_APP_ID is the API key/)
  })

  test('in a wp-config.php', async (t) => {
    const bench = await strangers(t)
    const path = join(bench.root, 'wp-config.php')
    const defines = {
      ...{ DB_HOST: 'localhost', DB_USER: 'u', DB_PASSWORD: 'p4ssw0rd', DB_NAME: 'd' },
      ...{ WU_SERVER_PILOT_CLIENT_ID: KEY, WU_SERVER_PILOT_API_KEY: CLIENT_ID, WU_SERVER_PILOT_APP_ID: bench.appId },
    }
    const lines = Object.entries(defines).map(([name, value]) => `define('${name}', '${value}');`)
    await writeFile(path, `<?php\n$table_prefix = 'wp_';\n${lines.join('\n')}\n`)
    for (const command of ['plan', 'check', 'apply']) {
      const { stdout, stderr } = await bench.command([command, '--wp-config', path], { env: {} })
      assertClean(command, stdout + stderr)
      assert.match(stdout + stderr, /wrong way round/)
    }
  })

  for (const [name, apiKey] of [
    ['the wrong way round', CLIENT_ID],
    ['not the wrong way round', 'another'],
  ] as const)
    test(`in the log of a daemon and on its page, ${name}`, async (t) => {
      const bench = await strangers(t)
      const args = ['--manifests', bench.folder, '--state-dir', join(bench.root, 'state'), '--log-level', 'debug']
      const more = ['--serverpilot-url', bench.simulator.url, '--listen', '127.0.0.1:0']
      const env = { SERVERPILOT_CLIENT_ID: KEY, SERVERPILOT_API_KEY: apiKey }
      const daemon = launch(t, ['run', ...args, ...more], { env })
      const page = await until('the page', () => /http:\/\/127\.0\.0\.1:\d+/.exec(daemon.stderr())?.[0])
      await until('the failure', async () => {
        const status = await (await fetch(new URL('/status.json', page))).text()
        return status.includes('CredentialsInvalid')
      })
      for (const path of ['/', '/status.json', '/metrics'])
        assertClean(path, await (await fetch(new URL(path, page))).text())
      daemon.child.kill('SIGTERM')
      assertClean('the log', (await daemon.ended()).stderr)
    })
})
