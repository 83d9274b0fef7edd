import type { Key } from '../../api/objects.ts'
import { type CertificateFacts, certificateFacts } from '../../check/certificate.ts'
import type { Host } from '../../domain/host.ts'
import type { Doubt } from '../../plan/doubt.ts'
import type { RemovalWatch } from '../../plan/settle.ts'
import type { ServerPilotApp } from '../../serverpilot/serverpilot.ts'
import type { SslOutcome } from '../../status/outcome.ts'
import { type AppAccounts, createAppAccounts } from './app-accounts.ts'
import { type CheckMemory, createCheckMemory } from './check-memory.ts'
import type { Contention } from './contention.ts'
import { createDesires, type Desires } from './desires.ts'
import { createListings, type Listings } from './listings.ts'
import type { Mode, Ports } from './ports.ts'
import { createRecords, type Records } from './records.ts'

/**
 * What the process remembers between passes, each part changed by one owner alone. All of it may be lost at any time without harm: it
 * is found out again.
 */
interface Memory {
  /** The account of each app. */
  accounts: AppAccounts
  /** The records as loaded or saved last. */
  records: Records
  /** What is desired of all apps of an account. */
  desires: Desires
  /** What a sweep listed, until it is used. */
  listings: Listings
  /** What the installed certificates say. Owner: `certificateOf`. */
  certificates: Map<Key, { pem: string | undefined; facts: CertificateFacts | undefined }>
  /** What checking hosts found out. */
  checks: CheckMemory
  /** What was seen of each app's desired set. Owner: app/gather.ts. */
  watches: Map<Key, RemovalWatch>
  /** Lists that are not believed yet. Owner: app/gather.ts. */
  doubts: Map<Key, Doubt>
  /** Writes that did not last. Owner: app/act.ts. */
  contention: Map<Key, Contention>
  /** Since when additions have been gathered, as certificates are scarce; epoch ms. Owner: app/act.ts. */
  gathering: Map<Key, number>
  /** The last look at AutoSSL and ForceSSL. Owner: app/ssl.ts. */
  ssl: Map<Key, SslMemory>
}

/** The last look at AutoSSL and ForceSSL. */
interface SslMemory {
  outcome: SslOutcome
  /** Looks in a row that came to the same. */
  looks: number
  /** When; epoch ms. */
  at: number
  /** Not before this is it looked at again, unless something changed; epoch ms. */
  lookAt: number
  /** What it was found on: digest of the hosts, those whose DNS was wrong, the request on the object, and what the list said of SSL. */
  grounds: { hosts: string; wrong: Host[]; requested: string | undefined; ssl: string }
}

/** Ports, mode and memory of one running controller. */
export interface Context {
  ports: Ports
  mode: Mode
  memory: Memory
}

/** Puts a context together; nothing starts. */
export function createContext(ports: Ports, mode: Mode): Context {
  const accounts = createAppAccounts(ports)
  const records = createRecords(ports, mode.writer, (key) => forgetSeen(memory, key))
  const memory: Memory = {
    accounts,
    records,
    desires: createDesires(ports, accounts, records),
    listings: createListings(),
    certificates: new Map(),
    checks: createCheckMemory(),
    watches: new Map(),
    doubts: new Map(),
    contention: new Map(),
    gathering: new Map(),
    ssl: new Map(),
  }
  return { ports, mode, memory }
}

/** What the app's certificate says, read once for all that ask; undefined without one, or for one that cannot be read. */
export function certificateOf({ memory }: Context, key: Key, { ssl }: ServerPilotApp): CertificateFacts | undefined {
  const before = memory.certificates.get(key)
  if (before !== undefined && before.pem === ssl?.cert) return before.facts
  const facts = certificateFacts(ssl?.cert)
  memory.certificates.set(key, { pem: ssl?.cert, facts })
  return facts
}

/** Forgets an app whose object is gone. */
export function forgetApp({ memory }: Context, key: Key): void {
  forgetSeen(memory, key)
  memory.records.forget(key)
  memory.accounts.forget(key)
}

/** Forgets what was seen of an app at ServerPilot. */
function forgetSeen(memory: Memory, key: Key): void {
  memory.listings.forget(key)
  memory.checks.forget(key)
  const { certificates, watches, doubts, contention, gathering, ssl } = memory
  for (const each of [certificates, watches, doubts, contention, gathering, ssl]) each.delete(key)
}
