import type { Answer, Caa, Dns, Failure } from '../../src/check/dns/ask.ts'
import { unlessAborted } from '../../src/time/within.ts'
import type { HostsGround } from './hosts.ts'
import type { Life } from './life.ts'

/** What can be wrong with a name. */
export type NameTrouble = 'Elsewhere' | 'AlsoElsewhere' | 'IPv6Elsewhere' | 'Missing' | 'ServerFailure' | 'RefusedByCaa'

/** What is wrong with the resolver as a whole. */
export interface ResolverTrouble {
  why: Failure
  /** It still answers for the root: out of its cache. */
  knowsRoot: boolean
}

/** DNS as processes ask it. Every name leads to the server by itself. */
export interface DnsModel {
  readonly trouble: {
    resolver: ResolverTrouble | undefined
    /** Milliseconds that a question takes at most. */
    slowMs: number
  }
  connect(life: Life): (signal: AbortSignal) => Dns
  /** Something becomes wrong with a name; calling what it gives ends that. */
  spoil(name: string, trouble: NameTrouble): () => void
  /** What is wrong with a name. */
  troubleOf(name: string): NameTrouble | undefined
  /** Since when that is so, or nothing is wrong; milliseconds of the world. */
  since(name: string): number
  /** Calls back when a process is told of an address of a name, or that there is none. */
  onAnswer(callback: (answer: AnswerTold) => void): void
}

/** One answer, and whether it lets the name count as one that leads to the server. */
export interface AnswerTold {
  life: Life
  name: string
  family: 4 | 6
  right: boolean
}

const ELSEWHERE = { 4: '203.0.113.99', 6: '2001:db8::99' } as const
/** What the resolver of Node comes to in the end when nobody answers: four tries of one to two seconds. */
const GIVEN_UP_MS = 7_000

/** Whether a name with this trouble leads to the server. */
export const leadsHere = (trouble: NameTrouble | undefined): boolean =>
  trouble === undefined || trouble === 'RefusedByCaa'

/** DNS in which nothing is wrong. The authority of ServerPilot sees the same. `ttl`: seconds for which an answer holds. */
export function createDns(ttl: number, { time, serverpilot, random }: HostsGround): DnsModel {
  const { account } = serverpilot.core
  const server = account.servers[0]!.lastaddress!
  const names = new Map<string, { trouble: NameTrouble | undefined; since: number }>()
  const trouble: DnsModel['trouble'] = { resolver: undefined, slowMs: 40 }
  const listeners: ((answer: AnswerTold) => void)[] = []

  const troubleOf = (name: string): NameTrouble | undefined => names.get(name)?.trouble

  function put(name: string, next: NameTrouble | undefined): { trouble: NameTrouble | undefined } {
    const entry = { trouble: next, since: time.now() }
    names.set(name, entry)
    account.setDns({ [name]: next === undefined ? [server] : next === 'Missing' ? null : [ELSEWHERE[4]] })
    return entry
  }

  const found = <T>(...records: T[]): Answer<T> => ({ kind: 'found', records, ttl })

  function addressesOf(name: string, family: 4 | 6): Answer<string> {
    const wrong = troubleOf(name)
    if (wrong === 'ServerFailure') return { kind: 'failed', why: wrong }
    if (wrong === 'Missing') return { kind: 'none', exists: false }
    if (family === 6) return wrong === 'IPv6Elsewhere' ? found(ELSEWHERE[6]) : { kind: 'none', exists: true }
    if (wrong === 'Elsewhere') return found(ELSEWHERE[4])
    return wrong === 'AlsoElsewhere' ? found(server, ELSEWHERE[4]) : found(server)
  }

  function caaOf(name: string): Answer<Caa> {
    if (troubleOf(name) !== 'RefusedByCaa') return { kind: 'none', exists: true }
    return found({ critical: false, tag: 'issue', value: 'ca.example.net' })
  }

  /** A question takes its time, and what is so at the end of that is the answer. */
  async function ask<T>(answer: () => Answer<T>, ofRoot = false): Promise<Answer<T>> {
    const { resolver, slowMs } = trouble
    const down = resolver !== undefined && !(ofRoot && resolver.knowsRoot) ? resolver : undefined
    await time.wait(down?.why === 'Timeout' ? GIVEN_UP_MS : random.next() * slowMs)
    return down === undefined ? answer() : { kind: 'failed', why: down.why }
  }

  function tell(life: Life, name: string, family: 4 | 6): Answer<string> {
    const answer = addressesOf(name, family)
    if (answer.kind === 'failed') return answer
    const own = answer.kind === 'none' ? family === 6 : answer.records.every((each) => each === server)
    for (const listener of listeners) listener({ life, name, family, right: own })
    return answer
  }

  return {
    trouble,
    troubleOf,
    since: (name) => names.get(name)?.since ?? 0,
    spoil(name, next) {
      const entry = put(name, next)
      return () => {
        if (names.get(name) === entry) put(name, undefined)
      }
    },
    onAnswer: (callback) => void listeners.push(callback),
    connect: (life) => (signal) => {
      const outside = <T>(answer: () => Answer<T>, ofRoot?: boolean): Promise<Answer<T>> =>
        unlessAborted(signal, () => life.ask(() => ask(answer, ofRoot)))
      return {
        addresses: (name, family) => outside(() => tell(life, name, family)),
        alias: (name) => outside(() => ({ kind: 'none', exists: troubleOf(name) !== 'Missing' })),
        caa: (name) => outside(() => caaOf(name)),
        probe: () => outside(() => found('a.root-servers.net'), true),
        close: () => undefined,
      }
    },
  }
}
