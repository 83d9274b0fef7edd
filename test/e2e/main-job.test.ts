import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { names, objectYaml } from '../controller/world.ts'
import { type Bench, createBench } from './bench.ts'
import { credentialsOf, launch, type Running, until } from './process.ts'

const FOREIGN = names(5, 'foreign').map((name) => `${name}.example.org`)
const hosts = (all: readonly string[]): string[] => all.map((name) => `${name}.example.com`)

function run(t: TestContext, bench: Bench): Running {
  const args = ['--manifests', bench.folder, '--state-dir', join(bench.root, 'state'), '--listen', 'off']
  const api = [
    '--serverpilot-url',
    bench.simulator.url,
    '--serverpilot-qps',
    '500',
    '--sweep-schedule',
    '*/1 * * * * *',
  ]
  return launch(t, ['run', ...args, ...api], { env: credentialsOf(bench.simulator) })
}

test('250 mappings over real HTTP: applied in one write, changed, removed, killed and healed', async (t) => {
  const bench = await createBench(t, FOREIGN)
  const spec = {
    appId: bench.appId,
    www: 'Never',
    ssl: { auto: false },
    safety: { settle: '100ms', settleInferred: '100ms' },
  }
  await writeFile(join(bench.folder, 'network.yaml'), objectYaml('ServerPilotApp', 'network', spec))
  const all = names(250)
  await Promise.all(all.map((name) => bench.map(name)))
  const exactly = (what: string, expected: readonly string[]): Promise<true> => {
    const list = [...FOREIGN, ...expected].sort().join()
    return until(what, () => bench.listed().join() === list, 30_000)
  }

  const applied = await bench.command(['apply'])
  assert.equal(applied.status, 0, applied.stderr)
  assert.equal(bench.simulator.counts().postDomains, 1)
  await exactly('all of them', hosts(all))

  const first = run(t, bench)
  await until('the daemon', () => first.stderr().includes('Started'))
  // Twenty move to another domain, thirty go, five come.
  const [moved, gone, stay] = [all.slice(0, 20), all.slice(20, 50), all.slice(50)]
  await Promise.all([
    ...moved.map((name) => bench.map(name, { domain: `${name}.moved.example` })),
    ...gone.map((name) => bench.unmap(name)),
    ...names(5, 'late').map((name) => bench.map(name)),
  ])
  const expected = [...moved.map((name) => `${name}.moved.example`), ...hosts(stay), ...hosts(names(5, 'late'))]
  await exactly('the changes', expected)
  assert.ok(bench.simulator.counts().postDomains <= 5, `${bench.simulator.counts().postDomains} writes`)

  first.child.kill('SIGKILL')
  await first.ended()
  // While nobody watches: somebody empties half of the list, one mapping comes and one goes.
  bench.simulator.state.setDomains(bench.appId, [...FOREIGN, ...hosts(stay.slice(0, 100))])
  await bench.map('after')
  await bench.unmap('h100')
  const second = run(t, bench)
  await exactly('the healed list', [...expected.filter((host) => host !== 'h100.example.com'), 'after.example.com'])
  second.child.kill('SIGTERM')
  assert.equal((await second.ended(5_000)).status, 0, second.stderr())
})
