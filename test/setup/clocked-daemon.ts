import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { runCommand } from '../../src/cli/run.ts'
import { systemFiles } from '../../src/files/file-system.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { silentIo } from '../cli/silent-io.ts'
import { objectYaml } from '../controller/world.ts'
import { credentialsOf, NO_CHECKS, temporaryFolder, until } from '../e2e/process.ts'
import { fakeClock } from '../time/fake-clock.ts'
import { turnUntil } from '../time/turn-until.ts'

const HOST = 'a.example.com'

/** `domainpilot run` on a clock that the test turns: it has brought its one host to the app, after its first sweep. */
export async function startClockedDaemon(
  t: TestContext,
  sweepSchedule: string,
  start = Date.UTC(2026, 0, 15, 12, 0, 30),
  more: Record<string, unknown> = {},
) {
  const simulator = await startSimulator({ apps: [{ name: 'network', domains: [] }] })
  t.after(() => simulator.stop())
  const manifests = await temporaryFolder(t)
  const appId = simulator.apps[0] as string
  const spec = { appId, www: 'Never', ssl: { auto: false } }
  await writeFile(join(manifests, 'network.yaml'), objectYaml('ServerPilotApp', 'network', spec))
  const mapping = { domain: HOST, appRef: { name: 'network' } }
  await writeFile(join(manifests, 'a.yaml'), objectYaml('DomainMapping', 'a', mapping))
  const clock = fakeClock({ start })
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
    ...more,
  }
  let page = ''
  const ended = runCommand(io, given, (url = '') => {
    page = url
  })
  /** SIGTERM; gives the exit status. */
  const terminate = async (): Promise<number> => {
    stop.abort(new Error('SIGTERM'))
    let status: number | undefined
    void ended.then((code) => {
      status = code
    })
    await turnUntil(clock, 'ended', () => status !== undefined)
    return await ended
  }
  t.after(terminate)
  await turnUntil(clock, 'started', () => page !== '')
  const ask = async (path: string): Promise<string> => await (await fetch(new URL(path, page))).text()
  const healthy = (): Promise<string> => ask('/healthz')
  /** Its host, as long as it is there. */
  const served = (): boolean => simulator.state.app(appId)?.domains.includes(HOST) === true
  // A pass that writes waits for its action on this clock.
  await until('the first pass has ended', async () => {
    clock.advance(250)
    return served() && (await ask('/status.json')).includes('lastSuccess')
  })
  const takeOff = (): void => simulator.state.setDomains(appId, [])
  /** Somebody else puts a host beside it. */
  const putBeside = (host: string): void => simulator.state.setDomains(appId, [HOST, host])
  return { clock, page, ask, sweeps: () => simulator.counts().listApps, served, takeOff, putBeside, healthy, terminate }
}
