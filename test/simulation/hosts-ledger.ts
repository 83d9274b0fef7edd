import type { HttpRequest } from '../../src/serverpilot/http.ts'
import { type DeclaredApp, QUARANTINE_AFTER } from './declared.ts'
import { type AnswerTold, leadsHere } from './dns.ts'
import type { Life } from './life.ts'
import type { Write } from './serverpilot.ts'
import type { World } from './world.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** Between what a process knew when it decided and the effect of its write: it may have stood still, or waited for its turn. */
const DECIDED = 15 * MINUTE
/** Until a change of an app, or of a mapping, has reached the process whatever was in the way. */
const ARRIVED = 45 * MINUTE
/** `ssl.retryInterval` lies between two attempts at AutoSSL; one of a minute on each side may have waited. */
const POSTS_AN_HOUR = 13

/** What a process was told of a name. */
interface Look {
  right: { 4?: boolean; 6?: boolean }
  /** When it was last known to be right; milliseconds of the world. */
  rightAt: number | undefined
}

/** Follows what processes are told of hosts, and judges what they write by it. */
export function watchHosts(world: World): void {
  const { hosts, serverpilot, declared, ledger, time } = world
  if (hosts === undefined) return
  const looks = new Map<Life, Map<string, Look>>()
  const everRight = new Set<string>()
  const mappedAt = new Map<string, number>()
  const countPost = createPostCount(world)
  let clockWasSet = false

  function noteAnswer({ life, name, family, right }: AnswerTold): void {
    const mine = looks.get(life) ?? new Map<string, Look>()
    looks.set(life, mine)
    const before = mine.get(name)
    const now = { right: { ...before?.right, [family]: right }, rightAt: before?.rightAt }
    if (isRight(before)) now.rightAt = time.now()
    if (isRight(now)) everRight.add(name)
    mine.set(name, now)
  }

  /** Whether the process had reason to take the name for one that leads to the server. */
  function wasRight(life: Life, name: string): boolean {
    const look = looks.get(life)?.get(name)
    if (isRight(look)) return true
    if (look?.rightAt !== undefined && time.now() - look.rightAt <= DECIDED) return true
    // In a cluster a process goes on with what an earlier one had found, until it looks itself.
    const isKnown = look?.right[4] === false || look?.right[6] === false
    return !isKnown && world.cluster !== undefined && everRight.has(name)
  }

  const requires = ({ requireSince }: DeclaredApp): boolean =>
    requireSince !== undefined && time.now() - requireSince > ARRIVED

  function judgeWrite({ appId, before, after, basis, life }: Write): void {
    const app = [...declared.apps.values()].find((each) => each.appId === appId)
    if (app === undefined) return
    const wanted = [...declared.mappings.values()].filter((each) => each.app === app.name).map(({ domain }) => domain)
    for (const host of wanted) {
      const had = before.includes(host)
      if (had === after.includes(host)) continue
      // What an earlier write of its own put there meanwhile, it could not know.
      if (had && basis?.had.includes(host)) judgeRemoval(life, app, host)
      else if (had) continue
      // What somebody takes off between a reading and the write comes back with that write.
      else if (requires(app) && basis?.had.includes(host) !== true && !wasRight(life, host))
        ledger.violate('dns', `${life.name} adds ${host} to ${app.name} before it was told that it leads to the server`)
    }
  }

  function judgeRemoval(life: Life, app: DeclaredApp, host: string): void {
    if (app.quarantineSince !== undefined) {
      judgeQuarantine(life, host)
      return
    }
    const trouble = hosts?.dns.troubleOf(host)
    if (leadsHere(trouble) || time.now() - (mappedAt.get(host) ?? 0) < ARRIVED) return
    ledger.violate('dns', `${life.name} removes ${host}, which is mapped, and whose DNS is wrong: ${trouble}`)
  }

  /** By time that has passed: what a process does not know of the clock it cannot count off. */
  function judgeQuarantine(life: Life, host: string): void {
    const look = looks.get(life)?.get(host)
    const ago = time.now() - (isRight(look) ? time.now() : (look?.rightAt ?? Number.NEGATIVE_INFINITY))
    const isNew = time.now() - (mappedAt.get(host) ?? 0) < ARRIVED
    if (ago < QUARANTINE_AFTER - DECIDED && !clockWasSet && !isNew)
      ledger.violate('dns', `${life.name} takes ${host} off, which led to the server ${Math.round(ago / 1000)} s ago`)
  }

  hosts.dns.onAnswer(noteAnswer)
  declared.onMap((_, domain) => void mappedAt.set(domain, time.now()))
  serverpilot.onWrite(judgeWrite)
  serverpilot.onRequest((_, request) => {
    countPost(request)
    clockWasSet ||= world.machine.offset !== 0
    return () => undefined
  })
}

const isRight = (look: Look | undefined): boolean => look?.right[4] === true && look.right[6] === true

/** Counts attempts at AutoSSL: no more than one in five minutes for an app, and one more each time that somebody sets the clock or puts a record back. */
function createPostCount({ time, machine, ledger }: World): (request: HttpRequest) => void {
  const posts = new Map<string, number[]>()
  let offset = machine.offset
  let resets: number[] = []
  ledger.onOlderRecord(() => resets.push(time.now()))
  const lately = (times: readonly number[]): number[] => times.filter((at) => time.now() - at < HOUR)
  return ({ method, url, body }) => {
    const [, app] = /^\/v1\/apps\/([^/]+)\/ssl$/.exec(url.pathname) ?? []
    if (method !== 'POST' || app === undefined || body?.includes('auto') !== true) return
    resets = lately(resets)
    if (machine.offset !== offset) resets.push(time.now())
    offset = machine.offset
    const mine = [...lately(posts.get(app) ?? []), time.now()]
    posts.set(app, mine)
    if (mine.length > POSTS_AN_HOUR + resets.length)
      ledger.violate('autossl', `${mine.length} attempts to switch AutoSSL on within one hour`)
  }
}
