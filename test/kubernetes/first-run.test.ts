import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type LogLine, launch, logOf, NO_CHECKS } from '../e2e/process.ts'
import { until } from './api-server.ts'
import { createWorld } from './world.ts'

/** Several tries for the Lease: each of them met the missing namespace. ms. */
const LONG_ENOUGH = 6_000

test('first-run-outside-a-cluster: one line says what to create; it goes on by itself once that is there', {
  timeout: 120_000,
}, async (t) => {
  const world = await createWorld(t)
  if (world === undefined) return
  await world.map('shop')
  const flags = ['--kubeconfig', world.server.kubeconfig, '--serverpilot-url', world.simulator.url, '--listen', 'off']
  const daemon = launch(t, ['run', ...flags, '--leader-elect'], { env: NO_CHECKS })
  const troubles = (): LogLine[] =>
    logOf(daemon.stderr().replace(/[^\n]*$/, '')).filter(({ level }) => level === 'warn' || level === 'error')
  await until('it says so', () => troubles().length > 0)
  await new Promise((resolve) => setTimeout(resolve, LONG_ENOUGH))
  assert.equal(troubles().length, 1, daemon.stderr())
  const line = JSON.stringify(troubles()[0])
  const cure = 'create it (kubectl create namespace domainpilot) or name another with --record-namespace'
  assert.ok(line.includes(`namespace domainpilot does not exist; ${cure}`), line)
  assert.doesNotMatch(line, /stack|\.ts:\d+|\\n/)
  assert.deepEqual(world.listed(), ['by-hand.example.org'])
  await world.server.admin.core.createNamespace({ body: { metadata: { name: 'domainpilot' } } })
  await until('the mapping is served', () => world.listed().includes('shop.example.com'))
  assert.equal(troubles().length, 1, daemon.stderr())
  daemon.child.kill('SIGTERM')
  assert.equal((await daemon.ended()).status, 0)
})
