import type { App } from '../api/objects.ts'
import { failureOf } from '../controller/context/errors.ts'
import { MAX_HOSTS } from '../plan/capacity.ts'
import { cureOf } from '../report/words.ts'
import type { ServerPilot, ServerPilotApp } from '../serverpilot/serverpilot.ts'
import { isDefaultApp } from '../setup/ambient.ts'
import { EXIT, type Io } from '../setup/io.ts'
import type { Given } from '../setup/option.ts'
import type { Setup } from '../setup/setup.ts'
import { orphansOf } from '../status/not-accepted.ts'
import { hostNamed } from './explanation.ts'
import { type Finding, fail, ok, printFindings, warn } from './finding.ts'
import { looking, readSource } from './pass.ts'
import { startProgress } from './progress.ts'

/** `check`: the connection test, a line each with the cause and the cure; of the hosts that are named, their DNS and certificate. */
export async function checkCommand(io: Io, given: Given, names: readonly string[] = []): Promise<number> {
  const hosts = names.map(hostNamed)
  const progress = startProgress(io, 'Checking')
  const say = (text: string): void => progress.say(text)
  const findings = await looking(io, given, async (setup) => {
    await readSource(setup, io.signal)
    if (hosts.length === 0) return await allFindings(setup, say, io.signal)
    return await (await import('./check-hosts.ts')).hostFindings(setup, hosts, say, io)
  }).finally(() => progress.stop())
  io.signal.throwIfAborted()
  printFindings(io, given, findings)
  return findings.some((each) => each.verdict === 'fail') ? EXIT.failed : EXIT.done
}

/** The source, and every app with all that it needs. */
async function allFindings(setup: Setup, say: (text: string) => void, signal: AbortSignal): Promise<Finding[]> {
  const findings = [sourceFinding(setup)]
  for (const app of setup.objects.apps()) {
    say(`Checking ${app.key}`)
    findings.push(...(await appFindings(setup, app, signal)), ...databaseFindings(setup, app))
  }
  for (const { key, reason, message } of orphansOf(setup.objects))
    findings.push(fail(`mapping ${key}`, `${reason}: ${message}`))
  if (setup.objects.apps().length === 0) findings.push(await accountFinding(setup, signal))
  return findings
}

function sourceFinding({ objects, settings }: Setup): Finding {
  const failure = objects.failure()
  if (failure !== undefined) {
    const cure = 'Correct what is named; `domainpilot validate PATH` lists every fault. Until then nothing is removed.'
    return fail('objects', failure.message, cure)
  }
  const files = settings.manifests.length === 0 ? 'the settings' : settings.manifests.join(', ')
  const where = settings.source === 'manifests' ? files : 'the cluster'
  return ok('objects', `${objects.apps().length} app(s) and ${objects.mappings().length} mapping(s) in ${where}`)
}

async function accountFinding(setup: Setup, signal: AbortSignal): Promise<Finding> {
  const account = setup.accounts.ambient()
  if (account === undefined) {
    const cure = 'Set SERVERPILOT_CLIENT_ID, SERVERPILOT_API_KEY and SERVERPILOT_APP_ID, or declare a ServerPilotApp.'
    return fail('apps', 'there is no app to look after', cure)
  }
  try {
    const apps = await account.listApps(signal)
    const detail = `credentials accepted (${apps.length} app(s) in the account), and no app is declared`
    return warn('apps', detail, 'Set SERVERPILOT_APP_ID, or start from what `domainpilot import` prints.')
  } catch (error) {
    return failedBy('credentials', error, signal)
  }
}

function failedBy(what: string, error: unknown, signal: AbortSignal): Finding {
  signal.throwIfAborted()
  const { reason, message } = failureOf(error)
  return fail(what, `${reason}: ${message}`, cureOf(reason))
}

async function appFindings(setup: Setup, app: App, signal: AbortSignal): Promise<Finding[]> {
  const what = `app ${app.key}`
  try {
    const account = await setup.accounts.accountOf(app)
    const seen = await account.getApp(app.spec.appId, signal)
    return [
      ok(what, `credentials accepted; ${app.spec.appId} is "${seen.name}"`),
      capacityFinding(what, seen),
      await serverFinding(what, account, seen, signal),
      sslFinding(what, app, seen),
    ]
  } catch (error) {
    return [failedBy(what, error, signal)]
  }
}

function capacityFinding(what: string, { domains }: ServerPilotApp): Finding {
  const detail = `${domains.length} of ${MAX_HOSTS} hosts`
  if (domains.length < MAX_HOSTS * 0.9) return ok(what, detail)
  return warn(what, detail, 'Split the network over a second ServerPilot app before it is full.')
}

async function serverFinding(
  what: string,
  account: ServerPilot,
  seen: ServerPilotApp,
  signal: AbortSignal,
): Promise<Finding> {
  const { name, plan, lastAddress } = await account.getServer(seen.serverId, signal)
  if (lastAddress !== undefined)
    return ok(what, `server "${name}" (plan ${plan}) at ${lastAddress}: point the DNS of customers there`)
  const cure = 'ServerPilot has not heard of the server yet: see that its agent runs.'
  return warn(what, `server "${name}" has no known address`, cure)
}

/** What the app's database was found to hold; nothing for an app without one. */
function databaseFindings({ context, settings }: Setup, app: App): Finding[] {
  const what = `app ${app.key}`
  if (app.spec.wordpress === undefined) return []
  return context.ports.mappingSources.flatMap((source): Finding[] => {
    const { failure, summary, secondWriter, faults = [] } = source.mappingsOf(app)
    if (source.name !== 'wordpress') return []
    const detail = `database: ${summary ?? 'nothing could be read'}`
    const cure = 'Correct what is named; until then nothing that it claims is removed.'
    if (failure !== undefined) return [fail(what, `${detail}; ${failure.message}`, cure)]
    const { note } = (isDefaultApp(app) && settings.ambient.database) || {}
    return [
      ok(what, detail),
      ...(note === undefined ? [] : [warn(what, note)]),
      ...faults.map(({ place, message }) => warn(what, `${place}: ${message}`)),
      ...(secondWriter === undefined ? [] : [warn(what, secondWriter)]),
    ]
  })
}

function sslFinding(what: string, app: App, { ssl, autossl }: ServerPilotApp): Finding {
  if (ssl?.auto) return ok(what, 'AutoSSL is on')
  if (ssl?.cert !== undefined) return warn(what, 'a custom certificate is installed: AutoSSL is left alone')
  if (!app.spec.ssl.auto) return ok(what, 'AutoSSL is off, and not asked for')
  if (autossl?.available) return ok(what, 'AutoSSL is available and will be switched on')
  const cure = 'Wait 5 to 15 minutes after the domains resolve to the server; a single name that does not can block it.'
  return warn(what, 'AutoSSL is not available yet', cure)
}
