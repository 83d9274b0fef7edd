import { EXIT, type Io } from '../setup/io.ts'
import { type Given, UsageError } from '../setup/option.ts'
import { startSimulator } from '../simulator/simulator.ts'

/** `simulate`: the ServerPilot simulator on `--listen`, until SIGTERM or SIGINT. */
export async function simulateCommand(io: Io, given: Given): Promise<number> {
  const simulator = await startSimulator({
    listen: address(given.listen),
    control: true,
    apps: appsOf(given.app),
    ...(given.dnsPort === undefined ? {} : { dnsPort: port(given.dnsPort) }),
    ...(typeof given.stateFile === 'string' ? { stateFile: given.stateFile } : {}),
    latency: milliseconds(given.latency, '--latency'),
    actionDuration: milliseconds(given.actionDuration, '--action-duration'),
    ...(given.verbose === true ? { log: (line: string) => io.err(`${line}\n`) } : {}),
  })
  const { url, clientId, apiKey, apps, nameserver } = simulator
  if (given.output === 'json') io.out(`${JSON.stringify({ url, clientId, apiKey, apps, nameserver })}\n`)
  else {
    io.out(`ServerPilot simulator on ${url} (control: ${simulator.controlUrl}). In another terminal:\n\n`)
    io.out(
      `  export SERVERPILOT_CLIENT_ID=${clientId} SERVERPILOT_API_KEY=${apiKey} SERVERPILOT_APP_ID=${apps[0] ?? ''}\n`,
    )
    const dns = nameserver === undefined ? '' : ` --dns-servers ${nameserver}`
    io.out(`  domainpilot check --serverpilot-url ${url}${dns}\n`)
    // Nothing answers at the simulated server's address but what may stand in between.
    io.out(`  domainpilot run --serverpilot-url ${url}${dns} --check-served false\n\nCtrl-C stops it.\n`)
  }
  await new Promise<void>((resolve) => {
    if (io.signal.aborted) resolve()
    io.signal.addEventListener('abort', () => resolve(), { once: true })
  })
  await simulator.stop()
  return EXIT.done
}

function address(value: unknown): { host: string; port: number } {
  const text = typeof value === 'string' ? value : '127.0.0.1:0'
  const parts = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(text)
  if (parts === null)
    throw new UsageError(`--listen: "${text}" is no address; write host:port, for example 127.0.0.1:8099.`)
  return { host: parts[1] ?? (parts[2] || '0.0.0.0'), port: Number(parts[3]) }
}

function port(value: unknown): number {
  const number = Number(value)
  if (!Number.isInteger(number) || number < 0 || number > 65_535)
    throw new UsageError(`--dns-port: "${String(value)}" is no port; 0 takes a free one.`)
  return number
}

function milliseconds(value: unknown, flag: string): number {
  const number = Number(value ?? 0)
  if (!(number >= 0)) throw new UsageError(`${flag}: "${String(value)}" is no number of milliseconds.`)
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
