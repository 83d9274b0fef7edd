import { quiet } from '../log/quiet.ts'
import { statusText } from '../report/status-text.ts'
import { notAcceptedOf, relative } from '../report/words.ts'
import { calledAs, EXIT, type Io, outJson } from '../setup/io.ts'
import type { Given } from '../setup/option.ts'
import { readSettings } from '../setup/settings.ts'
import { openStatuses, type Setup } from '../setup/setup.ts'
import { readStatusFile } from '../setup/state-folder.ts'
import type { Status } from '../status/status.ts'
import { systemClock } from '../time/clock.ts'
import { looking, passWithProgress } from './pass.ts'

/** The daemon writes at least this often when anything changes; ms. An older file is said to be old. */
const OLD = 15 * 60_000

/** `status`: apps and mappings with conditions, as the daemon wrote them to the cluster or the state folder, or else by a fresh look. */
export async function statusCommand(io: Io, given: Given): Promise<number> {
  const status = (await clusterStatus(io, given)) ?? (await folderStatus(io, given))
  if (given.output === 'json') outJson(io, status)
  else
    io.out(
      statusText(status, {
        colour: io.colour && io.outIsTerminal,
        width: io.outIsTerminal ? io.width : Number.POSITIVE_INFINITY,
        now: systemClock.now(),
        ...(status.source.name === 'kubernetes'
          ? { approve: ({ key, plan }) => `${calledAs(io)} approve ${key} ${plan?.hash}` }
          : {}),
      }),
    )
  const ready = status.apps.every((app) => app.conditions.find((each) => each.type === 'Ready')?.status !== 'False')
  const accepted = notAcceptedOf(status).length === 0
  return (ready && accepted) || given.exitCode !== true ? EXIT.done : EXIT.failed
}

/** Undefined where the objects are files, and when a fresh look is asked for. */
async function clusterStatus(io: Io, given: Given): Promise<Status | undefined> {
  const settings = readSettings(given, io.environment, io.readFile)
  if (settings.source !== 'kubernetes' || given.fresh === true) return undefined
  // The client library of a cluster is loaded only where there is one.
  const { readClusterStatus } = await import('./cluster-status.ts')
  return await readClusterStatus(io, given, settings)
}

async function folderStatus(io: Io, given: Given): Promise<Status> {
  return await looking(io, given, async (setup) => {
    const written = readStatusFile(io, setup.settings.stateDir)
    if (written === undefined || given.fresh === true) return await freshStatus(io, setup)
    const now = systemClock.now()
    if (now - written.generatedAt > OLD)
      io.err(`What the daemon wrote last is from ${relative(written.generatedAt, now)}; --fresh looks now.\n`)
    return written
  })
}

async function freshStatus(io: Io, setup: Setup): Promise<Status> {
  const statuses = openStatuses(io, { ...setup, cluster: undefined }, { leader: () => true, log: quiet })
  const outcomes = await passWithProgress(io, setup, 'Looking at')
  io.signal.throwIfAborted()
  for (const outcome of outcomes) statuses.reconciled(outcome)
  io.err('DNS, and what servers show, were not looked at: a daemon does that, and `domainpilot check HOST`.\n')
  return await statuses.status()
}
