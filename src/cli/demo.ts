import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OPTION_LIST } from '../setup/flags.ts'
import type { Io } from '../setup/io.ts'
import { type Environment, type Given, type OptionGroup, variableOf } from '../setup/option.ts'
import { startSimulator } from '../simulator/simulator.ts'
import { type Cancel, every, systemClock } from '../time/clock.ts'
import { runCommand } from './run.ts'

/** The options that it takes. */
const DEMO_OPTIONS: readonly OptionGroup[] = ['page', 'log']

/** Between two changes of the demo's mappings; ms. */
const PACE = 6_000
const NAMES = 'bakery cycling atelier garden records pottery observatory orchard harbour library'.split(' ')

/** The simulated server's address: documentation's own, so that nothing is reached by it. */
const SERVER = '198.51.100.10'

/** `demo`: simulator, folder of objects, daemon and status page, with a little traffic; needs no account. */
export async function demoCommand(io: Io, given: Given): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'domainpilot-demo-'))
  const simulator = await startSimulator({
    apps: [{ name: 'network', domains: ['network.example', 'www.network.example', 'by-hand.example.org'] }],
    latency: 20,
    actionDuration: 300,
    issuance: { delay: 4_000 },
    dns: Object.fromEntries(NAMES.map((name) => [`${name}.example.com`, [SERVER]])),
    dnsPort: 0,
  })
  const appId = simulator.apps[0] ?? ''
  const domains = join(folder, 'domains')
  await mkdir(domains)
  await writeFile(join(domains, 'network.yaml'), appYaml(appId))
  for (const name of NAMES.slice(0, 6)) await writeFile(join(domains, `${name}.yaml`), mappingYaml(name))
  const environment = {
    ...variablesOf(io.environment),
    SERVERPILOT_CLIENT_ID: simulator.clientId,
    SERVERPILOT_API_KEY: simulator.apiKey,
  }
  const options = {
    ...given,
    manifests: [domains],
    stateDir: join(folder, 'state'),
    serverpilotUrl: simulator.url,
    sweepSchedule: '*/10 * * * * *',
    checkSchedule: '*/30 * * * * *',
    checkServed: 'false',
    dnsServers: [simulator.nameserver ?? ''],
  }
  const endTraffic = startTraffic(domains)
  try {
    return await runCommand({ ...io, environment }, options, (url) => {
      io.out(
        `\n  Status page    ${url ?? 'off'}\n  Objects        ${domains}\n  ServerPilot    ${simulator.url} (simulated)\n\n`,
      )
      io.out('  Edit, add or delete a file in the folder and watch the page. Ctrl-C stops and cleans up.\n\n')
    })
  } finally {
    endTraffic()
    await simulator.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** The variables of the options that the demo takes; what else the environment says is of other objects than the demo's. */
function variablesOf(environment: Environment): Environment {
  const taken = OPTION_LIST.filter(({ group }) => DEMO_OPTIONS.includes(group)).map(({ flag }) => variableOf(flag))
  return Object.fromEntries(taken.map((name) => [name, environment[name]]))
}

function appYaml(appId: string): string {
  return `apiVersion: domainpilot.dev/v1alpha1
kind: ServerPilotApp
metadata: {name: network}
spec:
  appId: ${appId}
  protectedDomains: [network.example]
  ssl: {auto: true, retryInterval: 5s}
  safety: {settle: 4s, settleInferred: 8s, minDomains: 50}
`
}

function mappingYaml(name: string): string {
  return `apiVersion: domainpilot.dev/v1alpha1
kind: DomainMapping
metadata: {name: ${name}}
spec: {domain: ${name}.example.com, www: Never, appRef: {name: network}}
`
}

/** Customers come and go: every few seconds one mapping appears, or goes again. */
function startTraffic(folder: string): Cancel {
  let turn = 0
  return every(systemClock, PACE, () => {
    const name = NAMES[6 + (Math.floor(turn / 2) % 4)] ?? 'library'
    const path = join(folder, `${name}.yaml`)
    const change = turn++ % 2 === 0 ? writeFile(path, mappingYaml(name)) : rm(path, { force: true })
    change.catch(() => undefined) // the folder goes when the demo ends
  })
}
