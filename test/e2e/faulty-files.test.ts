import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { objectYaml } from '../controller/world.ts'
import { createBench } from './bench.ts'
import { credentialsOf, launch, until } from './process.ts'

interface Said {
  key: string
  conditions: { type: string; status: string; reason: string; message: string }[]
}

test('a-faulty-object-obeys-its-brakes, in files: nothing is written until it is mended', async (t) => {
  const bench = await createBench(t)
  const { folder, root, simulator, appId, listed } = bench
  const bare = { appId, www: 'Never', ssl: { auto: false } }
  const write = (spec: object) => writeFile(join(folder, 'network.yaml'), objectYaml('ServerPilotApp', 'network', spec))
  await bench.map('one')
  const flags = ['--state-dir', join(root, 'state'), '--serverpilot-url', simulator.url, '--listen', '127.0.0.1:0']
  const often = ['--sweep-schedule', '* * * * * *', '--serverpilot-qps', '500']
  const daemon = launch(t, ['run', '--manifests', folder, ...flags, ...often], { env: credentialsOf(simulator) })
  await until('one is served', () => listed().includes('one.example.com'))
  const page = /http:\/\/127\.0\.0\.1:\d+/.exec(daemon.stderr())?.[0]
  const ready = async (kind: 'apps' | 'mappings', key: string): Promise<string> => {
    const status = (await (await fetch(`${page}/status.json`)).json()) as Record<typeof kind, Said[]>
    const found = status[kind].find((each) => each.key === key)?.conditions.find(({ type }) => type === 'Ready')
    return `${found?.reason}: ${found?.message}`
  }

  await write({ ...bare, suspend: true, polcy: 'Observe' })
  const fault = /^InvalidSpec: .*spec\.polcy is not a known field/
  await until('the app says it', async () => fault.test(await ready('apps', 'wordpress/network')))
  await bench.map('two')
  await until('two says it', async () => fault.test(await ready('mappings', 'wordpress/two')))
  await bench.unmap('one')
  await sleep(2500)
  assert.deepEqual(listed(), ['by-hand.example.org', 'one.example.com'])
  assert.ok((await (await fetch(`${page}/metrics`)).text()).includes('type="Accepted",reason="InvalidSpec"} 0'))

  await write(bare)
  await until('two is served', () => listed().includes('two.example.com'))
})
