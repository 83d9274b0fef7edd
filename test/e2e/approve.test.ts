import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { objectYaml } from '../controller/world.ts'
import { NO_CHECKS } from './process.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')

async function until(what: string, holds: () => boolean | Promise<boolean>, ms = 20_000): Promise<void> {
  const deadline = Date.now() + ms
  while (!(await holds())) {
    if (Date.now() > deadline) assert.fail(`not within ${ms} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

test('an approval reaches the daemon that holds the state folder', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'domainpilot-approve-'))
  t.after(() => rm(root, { recursive: true, force: true }))
  const hosts = Array.from({ length: 12 }, (_, index) => `h${index}.example.com`)
  const simulator = await startSimulator({
    apps: [{ name: 'network', domains: ['by-hand.example.org'] }],
    actionDuration: 1,
  })
  t.after(() => simulator.stop())
  const appId = simulator.apps[0] as string
  const listed = (): number => simulator.state.app(appId)?.domains.length ?? 0
  const folder = join(root, 'domains')
  await mkdir(folder)
  const safety = { settle: '100ms', settleInferred: '100ms' }
  await writeFile(
    join(folder, 'network.yaml'),
    objectYaml('ServerPilotApp', 'network', { appId, www: 'Never', ssl: { auto: false }, safety }),
  )
  for (const host of hosts) {
    await writeFile(
      join(folder, `${host}.yaml`),
      objectYaml('DomainMapping', host, { domain: host, appRef: { name: 'network' } }),
    )
  }
  const flags = ['--manifests', folder, '--state-dir', join(root, 'state'), '--serverpilot-url', simulator.url]
  const env = {
    ...process.env,
    ...NO_CHECKS,
    SERVERPILOT_CLIENT_ID: simulator.clientId,
    SERVERPILOT_API_KEY: simulator.apiKey,
  }
  const daemon = spawn(
    process.execPath,
    [MAIN, 'run', ...flags, '--listen', '127.0.0.1:0', '--sweep-schedule', '* * * * * *'],
    { env, stdio: 'ignore' },
  )
  t.after(() => daemon.kill('SIGKILL'))
  await until('all are there', () => listed() === 13)
  for (const host of hosts.slice(0, 6)) await rm(join(folder, `${host}.yaml`))
  const call = (...args: string[]) =>
    new Promise<{ code: number; out: string; err: string }>((resolve) => {
      execFile(process.execPath, [MAIN, ...args, ...flags], { env }, (error, out, err) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err })
      })
    })
  let hash = ''
  await until('the removals are refused', async () => {
    const { out } = await call('status', '-o', 'json')
    const plan = JSON.parse(out).apps[0]?.plan
    hash = plan?.hash ?? ''
    return plan?.reason === 'RemovalRefused'
  })
  assert.equal(listed(), 13)
  const wrong = await call('apply')
  assert.equal(wrong.code, 1)
  assert.match(wrong.err, /held by process/)
  const handed = await call('apply', '--approve', hash)
  assert.equal(handed.code, 0, handed.err)
  await until('they are gone', () => listed() === 7)
})
