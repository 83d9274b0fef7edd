import type { HttpRequest } from '../../src/serverpilot/http.ts'
import type { LeaseHolder } from './api-server.ts'
import type { Databases } from './database/server.ts'
import type { Declared } from './declared.ts'
import type { Life } from './life.ts'
import type { ServerPilotModel, Write } from './serverpilot.ts'
import type { WorldTime } from './world-time.ts'

/** Something that must not happen, and has. */
export interface Violation {
  /** Milliseconds since the world began. */
  at: number
  /** Which promise is broken. */
  promise:
    | 'foreign'
    | 'budget'
    | 'one-write'
    | 'settle'
    | 'frozen'
    | 'calls'
    | 'rest'
    | 'said'
    | 'leader'
    | 'crash'
    | 'dns'
    | 'autossl'
    | 'fresh'
    | 'wanted'
    | 'prompt'
    | 'moves'
    | 'lock'
  message: string
}

/** What became of each name at ServerPilot, and which promises were broken on the way. */
export interface Ledger {
  readonly violations: readonly Violation[]
  /** Somebody else put a name on the list, or took it off. */
  foreignPut(appId: string, name: string): void
  foreignTook(appId: string, name: string): void
  /** A person lets these go. */
  approved(appId: string, names: readonly string[]): void
  /** Names that somebody else put there and that no mapping ever asked for since. */
  foreign(appId: string): ReadonlySet<string>
  /** Names that somebody else put there and that a mapping asked for since: ours once the daemon has noticed. */
  either(appId: string): ReadonlySet<string>
  /** The record of an app is an older one from now on, which claims these: what it does not know counts no more. */
  olderRecord(appId: string, claimed: ReadonlySet<string>): void
  /** Calls back each time with the id of the app. */
  onOlderRecord(callback: (appId: string) => void): void
  /** Whether a person let this go. */
  isApproved(appId: string, name: string): boolean
  /** From now on nobody can tell whose this name is. */
  unsure(appId: string, name: string): void
  violate(promise: Violation['promise'], message: string): void
}

const HOUR = 3_600_000
/** `safety.settle`, but for what a daemon takes to notice. */
const SETTLE = 29_000
/** A daemon that cannot read its sources goes by what they said before: for so long it may still want what nobody wants. */
const UNREAD = HOUR / 2
const WINDOW = 24 * HOUR
const MIN_DOMAINS = 10
const MAX_PERCENT = 30
/** A process may stand still for ten minutes with a removal under way. */
const FROZEN_AFTER = 12 * 60_000
/** Far more than a daemon with three apps needs in the worst hour. */
const CALLS_AN_HOUR = 2_500

interface LedgerGround {
  time: WorldTime
  /** What the machine's clock shows, epoch milliseconds. */
  now(): number
  serverpilot: ServerPilotModel
  /** What a daemon reads there counts as asked for, also while users want something else: a copy that is put back, a replica. */
  databases: Databases
  declared: Declared
  /** Which process holds the Lease, where there is one. */
  leader: (() => LeaseHolder | undefined) | undefined
}

/** How far the machine's clock is off at a moment of the world. */
interface Setting {
  at: number
  offset: number
}

interface Removal {
  /** By the machine's clock, as it is set. */
  at: number
  name: string
  approved: boolean
}

/** Follows everything that is written to ServerPilot from now on. */
export function createLedger({ time, now, serverpilot, databases, declared, leader }: LedgerGround): Ledger {
  const violations: Violation[] = []
  const foreign = new Map<string, Set<string>>()
  const either = new Map<string, Set<string>>()
  /** Names of ours that somebody else took off, and names of theirs. */
  const taken = new Map<string, Set<string>>()
  const takenOfTheirs = new Map<string, Set<string>>()
  const removals = new Map<string, Removal[]>()
  const excused = new Map<string, Set<string>>()
  const underWay = new Set<{ life: Life }>()
  /** When a name was unmapped, by id of the app and name. */
  const wantedUntil = new Map<string, number>()
  /** How the machine's clock was set when a process first spoke, and when an app was written last. */
  const begun = new Map<Life, Setting>()
  const written = new Map<string, Setting>()
  /** What a record that was put back claims: it may know no better. */
  const claimedThen = new Map<string, ReadonlySet<string>>()
  const olderRecord: ((appId: string) => void)[] = []
  let hour = { from: 0, calls: 0 }

  const setting = (): Setting => ({ at: time.now(), offset: now() - time.now() })

  const setOf = (sets: Map<string, Set<string>>, appId: string): Set<string> => {
    const known = sets.get(appId) ?? new Set()
    sets.set(appId, known)
    return known
  }
  const foreignOf = (appId: string): Set<string> => setOf(foreign, appId)
  const eitherOf = (appId: string): Set<string> => setOf(either, appId)

  const violate = (promise: Violation['promise'], message: string): void => {
    violations.push({ at: time.now(), promise, message })
  }

  const isWanted = (appId: string, name: string): boolean =>
    [...declared.mappings.values()].some(
      ({ app, domain }) => domain === name && declared.apps.get(app)?.appId === appId,
    )
  const knowledgeOf = (appId: string) => databases.servers.get(appId)?.knowledge

  /** Removals go along with a clock that is set while the process lives that writes; what it was set to before they do not know. */
  function goAlong(appId: string, life: Life): void {
    const [is, first, last] = [setting(), begun.get(life)!, written.get(appId)]
    const isFirst = last === undefined || last.at < first.at
    for (const removal of removals.get(appId) ?? []) {
      if (isFirst) removal.at = Math.min(removal.at, first.at + first.offset)
      removal.at += is.offset - (isFirst ? first : last).offset
    }
    written.set(appId, is)
  }

  function judgeWrite({ appId, before, after, basis, life }: Write): void {
    goAlong(appId, life)
    const kept = new Set(after)
    const mine = foreignOf(appId)
    for (const name of before) {
      if (kept.has(name)) continue
      if (mine.has(name)) {
        mine.delete(name)
        // The gap that docs/safety.md names: it came after the last reading before the write.
        if (basis?.had.includes(name))
          violate('foreign', `${life.name} removed ${name}, which somebody else had put there`)
        else setOf(takenOfTheirs, appId).add(name)
      } else if (basis?.had.includes(name)) {
        judgeSettle(appId, name, life)
        noteRemoval(appId, name, [...before, ...after])
        judgeFrozen(appId, name, life)
      }
    }
    for (const name of eitherOf(appId)) if (!kept.has(name)) eitherOf(appId).delete(name)
    // The same gap: a write that was sent before somebody took their name off puts it back.
    for (const name of after)
      if (!before.includes(name) && setOf(takenOfTheirs, appId).delete(name) && basis?.had.includes(name))
        eitherOf(appId).add(name)
  }

  /** What was unmapped just now may be mapped again: no removal before it has settled. */
  function judgeSettle(appId: string, name: string, life: Life): void {
    const age = time.now() - (wantedUntil.get(`${appId} ${name}`) ?? Number.NEGATIVE_INFINITY)
    if (age < SETTLE && !excused.get(appId)?.has(name))
      violate('settle', `${life.name} removed ${name} ${Math.round(age / 1000)} s after it was unmapped`)
  }

  /** While its database cannot be read as a whole, nothing of an app is removed. */
  function judgeFrozen(appId: string, name: string, life: Life): void {
    const since = knowledgeOf(appId)?.failingSince(life)
    if (since === undefined || time.now() - since < FROZEN_AFTER) return
    violate('frozen', `${life.name} removed ${name} of an app whose database it could not read as a whole`)
  }

  /** The budget of docs/safety.md, of which what comes with the same write counts too: by time that has passed while one process lives, by the machine's clock from one to the next. */
  function noteRemoval(appId: string, name: string, all: readonly string[]): void {
    const list = removals.get(appId) ?? []
    removals.set(appId, list)
    const approved = excused.get(appId)?.has(name) ?? false
    list.push({ at: now(), name, approved })
    if (approved) return
    const there = new Set(serverpilot.listed(appId))
    const gone = new Set(list.filter((each) => !each.approved && now() - each.at < WINDOW).map((each) => each.name))
    for (const each of gone) if (there.has(each)) gone.delete(each)
    // Of some hosts nobody can tell whether they are ours: the budget is kept if it is kept either way.
    const isBroken = (isForeign: (host: string) => boolean): boolean => {
      const claimed = claimedThen.get(appId) ?? []
      const base = new Set([...all.filter((host) => !isForeign(host)), ...gone, ...claimed]).size
      return base >= MIN_DOMAINS && (100 * gone.size) / base > MAX_PERCENT
    }
    const foreign = foreignOf(appId)
    const either = eitherOf(appId)
    if (isBroken((host) => foreign.has(host)) && isBroken((host) => foreign.has(host) || either.has(host)))
      violate('budget', `${gone.size} hosts went within 24 hours without approval: ${[...gone].join(', ')}`)
  }

  function judgeRequest(life: Life, { method, url }: HttpRequest): () => void {
    const nothing = (): void => undefined
    if (!begun.has(life)) begun.set(life, setting())
    if (time.now() - hour.from >= HOUR) hour = { from: time.now(), calls: 0 }
    if (++hour.calls === CALLS_AN_HOUR) violate('calls', `${hour.calls} calls within one hour`)
    if (method !== 'POST' || !/^\/v1\/apps\/[^/]+$/.test(url.pathname)) return nothing
    const holder = leader?.()
    if (leader !== undefined && holder?.life !== life)
      violate('leader', `${life.name} writes, and ${holder?.life.name ?? 'nobody'} holds the Lease`)
    for (const other of underWay)
      if (other.life.alive) violate('one-write', `${life.name} writes while ${other.life.name} does`)
    const write = { life }
    underWay.add(write)
    return () => void underWay.delete(write)
  }

  const asked = (appId: string | undefined, name: string): void => {
    if (appId !== undefined && foreignOf(appId).delete(name)) eitherOf(appId).add(name)
  }
  declared.onMap(asked)
  for (const [appId, { knowledge }] of databases.servers) knowledge.onRead((name) => asked(appId, name))
  declared.onUnmap((appId, name) => void wantedUntil.set(`${appId} ${name}`, time.now()))
  serverpilot.onWrite(judgeWrite)
  serverpilot.onRequest(judgeRequest)
  return {
    violations,
    violate,
    foreign: foreignOf,
    either: eitherOf,
    foreignPut(appId, name) {
      // Nobody can tell a name that was away between two looks from one that was there all the time.
      if (
        isWanted(appId, name) ||
        time.now() < (wantedUntil.get(`${appId} ${name}`) ?? Number.NEGATIVE_INFINITY) + UNREAD ||
        knowledgeOf(appId)?.isBelieved(name) ||
        setOf(taken, appId).delete(name)
      )
        eitherOf(appId).add(name)
      else foreignOf(appId).add(name)
    },
    foreignTook(appId, name) {
      const isTheirs = foreignOf(appId).delete(name)
      if (eitherOf(appId).delete(name) || isTheirs) setOf(takenOfTheirs, appId).add(name)
      if (!isTheirs) setOf(taken, appId).add(name)
    },
    unsure(appId, name) {
      foreignOf(appId).delete(name)
      eitherOf(appId).add(name)
    },
    olderRecord(appId, claimed) {
      removals.delete(appId)
      claimedThen.set(appId, claimed)
      for (const listener of olderRecord) listener(appId)
    },
    onOlderRecord: (callback) => void olderRecord.push(callback),
    isApproved: (appId, name) => excused.get(appId)?.has(name) ?? false,
    approved(appId, names) {
      excused.set(appId, new Set([...(excused.get(appId) ?? []), ...names]))
    },
  }
}
