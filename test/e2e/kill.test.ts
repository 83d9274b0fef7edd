import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import { names, objectYaml } from '../controller/world.ts'
import { credentialsOf, launch, type Running, temporaryFolder, until } from './process.ts'

const KILLS = 30
const FOREIGN = names(5, 'foreign').map((name) => `${name}.example.org`)
/** Mappings that stay; the others come and go. */
const STEADY = names(12)
const GUESTS = names(8, 'guest')
const hostOf = (name: string): string => `${name}.example.com`

/** What the door saw. */
interface Door {
  url: string
  /** Names of others that were missing after a write, with the number of the write. */
  lost: string[]
  writes: number
  /** The most writes that were under way at once. */
  most: number
}

/** Stands in front of the simulator: passes every call on, and looks at the list after each write. */
async function openDoor(t: TestContext, simulator: Simulator): Promise<Door> {
  const door: Door = { url: '', lost: [], writes: 0, most: 0 }
  const appId = simulator.apps[0] as string
  let underWay = 0
  const server = createServer((incoming, outgoing) => {
    const write = incoming.method === 'POST'
    if (write) {
      door.writes += 1
      underWay += 1
      door.most = Math.max(door.most, underWay)
    }
    const onward = request(
      new URL(incoming.url ?? '/', simulator.url),
      { method: incoming.method, headers: incoming.headers },
      (answer) => {
        if (write) {
          underWay -= 1
          const there = new Set(simulator.state.app(appId).domains)
          door.lost.push(...FOREIGN.filter((host) => !there.has(host)).map((host) => `${host} by write ${door.writes}`))
        }
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
      },
    )
    onward.on('error', () => outgoing.destroy())
    incoming.pipe(onward)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  door.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  return door
}

/** Numbers from 0 to below 1, the same for the same seed. Park and Miller. */
function dice(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

test(`kill -9 at ${KILLS} random moments while mappings change: the list ends exact, and no host of others is ever away`, {
  timeout: 110_000,
}, async (t) => {
  const root = await temporaryFolder(t)
  const [folder, stateDir] = [join(root, 'domains'), join(root, 'state')]
  await mkdir(folder)
  const simulator = await startSimulator({
    apps: [{ name: 'network', domains: FOREIGN }],
    stateFile: join(root, 'serverpilot.json'),
    latency: 20,
    actionDuration: 20,
  })
  t.after(() => simulator.stop())
  const appId = simulator.apps[0] as string
  const door = await openDoor(t, simulator)
  const listed = (): string[] => simulator.state.app(appId).domains.toSorted()
  const mapped = new Set<string>()
  const map = async (name: string): Promise<void> => {
    mapped.add(name)
    await writeFile(
      join(folder, `${name}.yaml`),
      objectYaml('DomainMapping', name, { domain: hostOf(name), appRef: { name: 'network' } }),
    )
  }
  const unmap = async (name: string): Promise<void> => {
    mapped.delete(name)
    await rm(join(folder, `${name}.yaml`), { force: true })
  }
  const exact = (): string[] => [...FOREIGN, ...[...mapped].map(hostOf)].sort()
  const start = (): Running =>
    launch(
      t,
      ['run', '--manifests', folder, '--state-dir', stateDir, '--serverpilot-url', door.url, '--listen', 'off'].concat([
        ...['--sweep-schedule', '*/1 * * * * *', '--serverpilot-qps', '500'],
      ]),
      { env: credentialsOf(simulator) },
    )

  // The share of removals would come to more than any day allows: the guard has tests of its own.
  const safety = { maxRemovalPercent: 100, settle: '100ms', settleInferred: '100ms' }
  await writeFile(
    join(folder, 'network.yaml'),
    objectYaml('ServerPilotApp', 'network', { appId, www: 'Never', ssl: { auto: false }, safety }),
  )
  for (const name of STEADY) await map(name)

  const random = dice(20_260_115)
  for (let kill = 0; kill < KILLS; kill++) {
    const daemon = start()
    const calls = simulator.calls.length
    const change = async (): Promise<void> => {
      const name = GUESTS[Math.floor(random() * GUESTS.length)] as string
      await (mapped.has(name) ? unmap(name) : map(name))
    }
    await change()
    // Most deaths fall into the time in which something is under way: counted from the first call of this process.
    if (random() < 0.85) await until('the first call', () => simulator.calls.length > calls)
    await pause(random() * 300)
    await change()
    await pause(random() * 300)
    daemon.child.kill('SIGKILL')
    const { signal } = await daemon.ended()
    assert.equal(signal, 'SIGKILL', daemon.stderr())
    assert.deepEqual(door.lost, [], `kill ${kill + 1}`)
  }

  const last = start()
  await until('the exact list', () => JSON.stringify(listed()) === JSON.stringify(exact()), 20_000)
  await until('every claim proven', async () => {
    const claims = await readClaims(stateDir)
    return [...mapped].every((name) => claims[hostOf(name)]?.state === 'Held')
  })
  last.child.kill('SIGTERM')
  assert.equal((await last.ended()).status, 0, last.stderr())
  assert.deepEqual(listed(), exact())
  assert.deepEqual(door.lost, [])
  assert.equal(door.most, 1)
  t.diagnostic(`${door.writes} writes`)
  assert.ok(door.writes >= KILLS / 3, `only ${door.writes} writes: nothing was under way when it was killed`)
})

async function readClaims(stateDir: string): Promise<Record<string, { state: string }>> {
  const file = (await readdir(stateDir)).find((name) => name.startsWith('ownership-') && name.endsWith('.json'))
  if (file === undefined) return {}
  const record = JSON.parse(await readFile(join(stateDir, file), 'utf8')) as {
    hosts: Record<string, { state: string }>
  }
  return record.hosts
}
