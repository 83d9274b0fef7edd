import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runCommand } from '../../src/cli/run.ts'
import { systemFiles } from '../../src/files/file-system.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { silentIo } from '../cli/silent-io.ts'
import { objectYaml } from '../controller/world.ts'
import { credentialsOf, NO_CHECKS, temporaryFolder, until } from '../e2e/process.ts'
import { fakeClock } from '../time/fake-clock.ts'
import { turnUntil } from '../time/turn-until.ts'

const MINUTE = 60_000

/** A daemon on the clock of the test, with this schedule; it has ended its first sweep. */
async function startDaemon(t: TestContext, sweepSchedule: string) {
  const simulator = await startSimulator({ apps: [{ name: 'network', domains: ['a.example.com'] }] })
  t.after(() => simulator.stop())
  const manifests = await temporaryFolder(t)
  const spec = { appId: simulator.apps[0], ssl: { auto: false } }
  await writeFile(join(manifests, 'network.yaml'), objectYaml('ServerPilotApp', 'network', spec))
  const clock = fakeClock({ start: Date.UTC(2026, 0, 15, 12, 0, 30) })
  const stop = new AbortController()
  const io = {
    ...silentIo(),
    environment: { ...credentialsOf(simulator), ...NO_CHECKS },
    signal: stop.signal,
    outside: { clock, files: systemFiles, processMetrics: false },
  }
  const given = {
    manifests: [manifests],
    stateDir: join(await temporaryFolder(t), 'state'),
    serverpilotUrl: simulator.url,
    listen: '127.0.0.1:0',
    sweepSchedule,
  }
  let page = ''
  const ended = runCommand(io, given, (url = '') => {
    page = url
  })
  t.after(async () => {
    stop.abort(new Error('the test is over'))
    await ended
  })
  await turnUntil(clock, 'started', () => page !== '')
  const ask = async (path: string): Promise<string> => await (await fetch(new URL(path, page))).text()
  await until('the first pass has ended', async () => (await ask('/status.json')).includes('lastSuccess'))
  const healthy = (): Promise<string> => ask('/healthz')
  return { clock, simulator, healthy }
}

test('a-rare-sweep: one that comes every hour, or never, leaves the daemon alive', async (t) => {
  for (const schedule of ['0 * * * *', '0 0 1 1 *']) {
    const { clock, simulator, healthy } = await startDaemon(t, schedule)
    for (let minutes = 0; minutes < 65; minutes += 5) {
      clock.advance(5 * MINUTE)
      assert.equal(await healthy(), 'ok\n', `${schedule}, after ${minutes} minutes`)
    }
    if (schedule === '0 * * * *') await until('the sweep of the hour', () => simulator.counts().listApps === 2)
  }
})

test('a-rare-sweep: alive whatever somebody sets the clock to', async (t) => {
  const { clock, healthy } = await startDaemon(t, '* * * * *')
  for (const now of [Date.UTC(2026, 1, 15), Date.UTC(1970, 0, 1), Date.UTC(2030, 0, 1)]) {
    clock.set(now)
    assert.equal(await healthy(), 'ok\n')
  }
})
