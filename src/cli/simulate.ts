import { EXIT, errLine, type Io } from '../setup/io.ts'
import { address, type Given, UsageError } from '../setup/option.ts'
import { startSimulator } from '../simulator/simulator.ts'
import { aborted } from '../time/within.ts'

/** `simulate`: the ServerPilot simulator on `--listen`, until SIGTERM or SIGINT. */
export async function simulateCommand(io: Io, given: Given): Promise<number> {
  const simulator = await startSimulator({
    listen: address(String(given.listen), '--listen'),
    ...(given.control === true ? { control: true } : {}),
    apps: appsOf(given.app),
    ...(given.dnsPort === undefined ? {} : { dnsPort: port(given.dnsPort) }),
    ...(typeof given.stateFile === 'string' ? { stateFile: given.stateFile } : {}),
    latency: milliseconds(given.latency, '--latency'),
    actionDuration: milliseconds(given.actionDuration, '--action-duration'),
    ...(given.verbose === true ? { log: (line: string) => errLine(io, line) } : {}),
  })
  const { url, clientId, apiKey, apps, nameserver } = simulator
  if (given.output === 'json') io.out(`${JSON.stringify({ url, clientId, apiKey, apps, nameserver })}\n`)
  else {
    const control = simulator.controlled ? simulator.controlUrl : 'off, see --control'
    io.out(`ServerPilot simulator on ${url} (control: ${control}). In another terminal:\n\n`)
    io.out(
      `  export SERVERPILOT_CLIENT_ID=${clientId} SERVERPILOT_API_KEY=${apiKey} SERVERPILOT_APP_ID=${apps[0] ?? ''}\n`,
    )
    const dns = nameserver === undefined ? '' : ` --dns-servers ${nameserver}`
    io.out(`  domainpilot check --serverpilot-url ${url}${dns}\n`)
    // Nothing answers at the simulated server's address but what may stand in between.
    io.out(`  domainpilot run --serverpilot-url ${url}${dns} --check-served false\n\nCtrl-C stops it.\n`)
  }
  await aborted(io.signal)
  await simulator.stop()
  return EXIT.done
}

function port(value: unknown): number {
  const number = Number(value)
  if (!Number.isInteger(number) || number < 0 || number > 65_535)
    throw new UsageError(`--dns-port: "${String(value)}" is not a port; 0 takes a free one.`)
  return number
}

function milliseconds(value: unknown, flag: string): number {
  const number = Number(value)
  if (!(number >= 0)) throw new UsageError(`${flag}: "${String(value)}" is not a number of milliseconds.`)
  return number
}

/** `NAME=host,host,…`, repeatable. */
function appsOf(value: unknown): { name: string; domains: string[] }[] {
  const given = Array.isArray(value) ? value.map(String) : ['network=network.example']
  return given.map((each) => {
    const [name = '', hosts = ''] = each.split('=', 2)
    return { name, domains: hosts.split(',').filter((host) => host !== '') }
  })
}
