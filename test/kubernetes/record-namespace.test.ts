import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { NO_CHECKS } from '../e2e/process.ts'
import { until } from './api-server.ts'
import { condition, createWorld } from './world.ts'

const CURE = 'create it (kubectl create namespace NAME) or name another with --record-namespace'

test('a-namespace-that-is-not-there: named with its cure, once, and no longer a hindrance when it is there', {
  timeout: 120_000,
}, async (t) => {
  const world = await createWorld(t)
  if (world === undefined) return
  await world.map('shop')
  const words = (name: string): string => `namespace ${name} does not exist; ${CURE.replace('NAME', name)}`
  const make = (name: string) => world.server.admin.core.createNamespace({ body: { metadata: { name } } })
  const times = (text: string, part: string): number => text.split('\n').filter((line) => line.includes(part)).length

  await t.test('the Lease', async () => {
    const name = 'no-such-lease'
    const daemon = world.daemon({ flags: ['--record-namespace', name] })
    await until('it says so', () => daemon.log().includes(words(name)))
    await new Promise((resolve) => setTimeout(resolve, 6_000))
    assert.equal(times(daemon.log(), words(name)), 1)
    assert.deepEqual(world.listed(), ['by-hand.example.org'])
    await make(name)
    await until('it leads', () => daemon.leads())
    await until('the mapping is served', () => world.listed().includes('shop.example.com'))
    daemon.child.kill('SIGTERM')
    assert.equal(await daemon.ended, 0)
  })

  await t.test('the records', async () => {
    const name = 'no-such-records'
    await world.map('second')
    const daemon = world.daemon({ flags: ['--record-namespace', name, '--leader-elect=false'] })
    const message = await condition(world, 'ServerPilotApp', 'network', {
      type: 'Synced',
      status: 'False',
      message: new RegExp(words(name).replaceAll(/[()]/g, '.')),
    })
    assert.doesNotMatch(message, /somebody else/)
    assert.ok(!world.listed().includes('second.example.com'))
    assert.doesNotMatch(daemon.log(), /somebody else/)
    await make(name)
    await until('the mapping is served', () => world.listed().includes('second.example.com'))
    daemon.child.kill('SIGTERM')
    assert.equal(await daemon.ended, 0)
  })

  await t.test('apply', async () => {
    const name = 'no-such-apply'
    const { PATH, HOME } = process.env
    const main = join(import.meta.dirname, '../../src/main.ts')
    const cluster = ['--source', 'kubernetes', '--kubeconfig', world.server.kubeconfig]
    const flags = [...cluster, '--serverpilot-url', world.simulator.url, '--record-namespace', name]
    const child = spawn(process.execPath, [main, 'apply', ...flags], { env: { PATH, HOME, ...NO_CHECKS } })
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    const status = await new Promise((resolve) => child.once('exit', resolve))
    assert.equal(status, 1)
    assert.equal(times(said, words(name)), 1, said)
    assert.match(said, /Nothing was applied/)
  })
})
