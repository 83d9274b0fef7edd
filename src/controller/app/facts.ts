import type { App, Key } from '../../api/objects.ts'
import type { CertificateFacts } from '../../check/certificate.ts'
import type { DnsVerdict } from '../../check/dns/judge.ts'
import type { History } from '../../check/limits.ts'
import type { Host } from '../../domain/host.ts'
import type { OwnershipRecord } from '../../ownership/record.ts'
import type { WrongHosts } from '../../ownership/wrong.ts'
import type { Desired } from '../../plan/desired.ts'
import type { Held } from '../../plan/held.ts'
import type { RemovalWatch } from '../../plan/settle.ts'
import type { ServerPilotApp } from '../../serverpilot/serverpilot.ts'
import type { Contention } from '../context/contention.ts'
import type { AppDesired } from '../context/desires.ts'

/** What is declared for an app and what is ours of it: all that is known before ServerPilot is asked. Values. */
export interface Declared extends AppDesired {
  app: App
  account: string
  record: OwnershipRecord
  /** The wall clock less the steady clock, as it was set when the times of the record were right; ms. */
  wallOffset: number
  /** There was no record. */
  fresh: boolean
  /** The object is being deleted, and what is ours goes first. */
  finalizing: boolean
}

/** All that a pass over one app stands on, read once. A decision needs nothing else. Values; nothing in here changes. */
export interface Facts extends Declared {
  /** All that is wanted; `desired` is without the hosts that are quarantined. */
  asked: Desired
  /** Wanted hosts that their DNS keeps off the list, and why; what is known of wrong DNS. */
  quarantined: ReadonlyMap<Host, Held>
  wrong: WrongHosts
  observed: ServerPilotApp
  /** What its certificate says. */
  certificate: CertificateFacts | undefined
  /** The record was written by another version or with other filters, or is an older one. */
  distrusted: boolean
  /** What this process saw of the desired set; its times are those of the steady clock. */
  watch: RemovalWatch
  /** Hosts that another app of the account wants and does not hold yet. */
  moving: ReadonlyMap<Host, Key>
  /** Hashes approved for this app, and those that fit whichever app they fit. */
  approvals: readonly string[]
  handed: readonly string[]
  /** Foreign hosts that a person asked to remove. */
  unwanted: ReadonlySet<Host>
  /** What is known of the DNS of desired hosts; empty unless `dns.policy` is `Require`. */
  dns: ReadonlyMap<Host, DnsVerdict>
  /** Whether DNS is looked at at all. */
  dnsChecked: boolean
  /** Certificates issued, and validations failed, in the whole account. */
  history: History
  /** Since when additions have been gathered; epoch ms. */
  gathering: number | undefined
  contention: Contention
  /** A person stands in front of it. */
  oneShot: boolean
  /** Epoch ms. */
  now: number
  /** Milliseconds of the steady clock. */
  steady: number
}
