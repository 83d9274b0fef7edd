import type { App } from '../api/objects.ts'
import { failureOf } from '../controller/context/errors.ts'
import { MAX_HOSTS } from '../plan/capacity.ts'
import { cureOf } from '../report/words.ts'
import type { ServerPilot, ServerPilotApp } from '../serverpilot/serverpilot.ts'
import { EXIT, type Io } from '../setup/io.ts'
import type { Given } from '../setup/option.ts'
import type { Setup } from '../setup/setup.ts'
import { type Finding, printFindings } from './finding.ts'
import { looking, readSource } from './pass.ts'
import { startProgress } from './progress.ts'

/** `check`: the connection test, a line each with the cause and the cure; of the hosts that are named, their DNS and certificate. */
export async function checkCommand(io: Io, given: Given, names: readonly string[] = []): Promise<number> {
  const byHost = names.length === 0 ? undefined : await import('./check-hosts.ts')
  const hosts = byHost?.hostsOf(names) ?? []
  const progress = startProgress(io, 'Checking')
  const say = (text: string): void => progress.say(text)
  const findings = await looking(io, given, async (setup) => {
    await readSource(setup, io.signal)
    return await (byHost?.hostFindings(setup, hosts, say, io.signal) ?? allFindings(setup, say, io.signal))
  }).finally(() => progress.stop())
  io.signal.throwIfAborted()
  printFindings(io, given, findings)
  return findings.some((each) => each.verdict === 'fail') ? EXIT.failed : EXIT.done
}

/** The source, and every app with all that it needs. */
async function allFindings(setup: Setup, say: (text: string) => void, signal: AbortSignal): Promise<Finding[]> {
  const findings = sourceFindings(setup)
  for (const app of setup.objects.apps()) {
    say(`Checking ${app.key}`)
    findings.push(...(await appFindings(setup, app, signal)), ...databaseFindings(setup, app))
  }
  if (setup.objects.apps().length === 0) findings.push(await accountFinding(setup, signal))
  return findings
}

function sourceFindings({ objects, settings }: Setup): Finding[] {
  const failure = objects.failure()
  if (failure !== undefined) {
    const cure = 'Correct what is named; `domainpilot validate PATH` lists every fault. Until then nothing is removed.'
    return [{ verdict: 'fail', what: 'objects', detail: failure.message, cure }]
  }
  const files = settings.manifests.length === 0 ? 'the settings' : settings.manifests.join(', ')
  const where = settings.kubernetes === undefined ? files : 'the cluster'
  const detail = `${objects.apps().length} app(s) and ${objects.mappings().length} mapping(s) in ${where}`
  return [{ verdict: 'ok', what: 'objects', detail }]
}

async function accountFinding(setup: Setup, signal: AbortSignal): Promise<Finding> {
  const account = setup.accounts.ambient()
  if (account === undefined) {
    const cure = 'Set SERVERPILOT_CLIENT_ID, SERVERPILOT_API_KEY and SERVERPILOT_APP_ID, or declare a ServerPilotApp.'
    return { verdict: 'fail', what: 'apps', detail: 'there is no app to look after', cure }
  }
  try {
    const apps = await account.listApps(signal)
    const detail = `credentials accepted (${apps.length} app(s) in the account), and no app is declared`
    const cure = 'Set SERVERPILOT_APP_ID, or start from what `domainpilot import` prints.'
    return { verdict: 'warn', what: 'apps', detail, cure }
  } catch (error) {
    signal.throwIfAborted()
    const { reason, message } = failureOf(error)
    return { verdict: 'fail', what: 'credentials', detail: `${reason}: ${message}`, cure: cureOf(reason) }
  }
}

async function appFindings(setup: Setup, app: App, signal: AbortSignal): Promise<Finding[]> {
  const what = `app ${app.key}`
  try {
    const account = await setup.accounts.accountOf(app)
    const seen = await account.getApp(app.spec.appId, signal)
    return [
      { verdict: 'ok', what, detail: `credentials accepted; ${app.spec.appId} is "${seen.name}"` },
      capacityFinding(what, seen),
      await serverFinding(what, account, seen, signal),
      sslFinding(what, app, seen),
    ]
  } catch (error) {
    signal.throwIfAborted()
    const { reason, message } = failureOf(error)
    return [{ verdict: 'fail', what, detail: `${reason}: ${message}`, cure: cureOf(reason) }]
  }
}

function capacityFinding(what: string, seen: ServerPilotApp): Finding {
  const count = seen.domains.length
  const detail = `${count} of ${MAX_HOSTS} hosts`
  if (count < MAX_HOSTS * 0.9) return { verdict: 'ok', what, detail }
  return { verdict: 'warn', what, detail, cure: 'Split the network over a second ServerPilot app before it is full.' }
}

async function serverFinding(
  what: string,
  account: ServerPilot,
  seen: ServerPilotApp,
  signal: AbortSignal,
): Promise<Finding> {
  const server = await account.getServer(seen.serverId, signal)
  if (server.lastAddress === undefined) {
    const cure = 'ServerPilot has not heard of the server yet: see that its agent runs.'
    return { verdict: 'warn', what, detail: `server "${server.name}" has no known address`, cure }
  }
  const detail = `server "${server.name}" (plan ${server.plan}) at ${server.lastAddress}: point the DNS of customers there`
  return { verdict: 'ok', what, detail }
}

/** What the app's database was found to hold; nothing for an app without one. */
function databaseFindings({ context }: Setup, app: App): Finding[] {
  const what = `app ${app.key}`
  if (app.spec.wordpress === undefined) return []
  return context.ports.mappingSources.flatMap((source): Finding[] => {
    const { failure, summary, secondWriter, faults = [] } = source.mappingsOf(app)
    if (source.name !== 'wordpress') return []
    const detail = `database: ${summary ?? 'nothing could be read'}`
    const cure = 'Correct what is named; until then nothing that it claims is removed.'
    if (failure !== undefined) return [{ verdict: 'fail', what, detail: `${detail}; ${failure.message}`, cure }]
    return [
      { verdict: 'ok', what, detail },
      ...faults.map(({ place, message }): Finding => ({ verdict: 'warn', what, detail: `${place}: ${message}` })),
      ...(secondWriter === undefined ? [] : [{ verdict: 'warn' as const, what, detail: secondWriter }]),
    ]
  })
}

function sslFinding(what: string, app: App, seen: ServerPilotApp): Finding {
  const { ssl, autossl } = seen
  if (ssl?.auto) return { verdict: 'ok', what, detail: 'AutoSSL is on' }
  if (ssl?.cert !== undefined)
    return { verdict: 'warn', what, detail: 'a custom certificate is installed: AutoSSL is left alone' }
  if (!app.spec.ssl.auto) return { verdict: 'ok', what, detail: 'AutoSSL is off, and not asked for' }
  if (autossl?.available) return { verdict: 'ok', what, detail: 'AutoSSL is available and will be switched on' }
  const cure = 'Wait 5 to 15 minutes after the domains resolve to the server; a single name that does not can block it.'
  return { verdict: 'warn', what, detail: 'AutoSSL is not available yet', cure }
}
