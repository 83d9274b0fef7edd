import type { Key, Place } from '../api/objects.ts'
import type { Host } from '../domain/host.ts'

/** One condition, kstatus style. `lastTransitionTime` (epoch ms) moves only when `status` does. */
export interface Condition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  reason: string
  message: string
  observedGeneration: number
  lastTransitionTime: number
}

/** `absent`: wanted, not (yet) at ServerPilot. `leaving`: no longer wanted, still there. */
export type HostState = 'present' | 'pending' | 'absent' | 'leaving' | 'rejected' | 'foreign'

export interface HostStatus {
  name: Host | string
  state: HostState
  mapping?: Key
  addresses?: readonly string[]
  /** Where it stands in DNS; absent while nobody has looked. */
  dns?: { state: string; message: string }
  /** Epoch ms. */
  certificateNotAfter?: number
  message?: string
}

export interface MappingStatus {
  key: Key
  app: Key
  appId?: string
  source: string
  place: Place
  domain: string
  observedGeneration: number
  hosts: HostStatus[]
  conditions: Condition[]
}

export interface AppStatus {
  key: Key
  appId: string
  policy: string
  place: Place
  observedGeneration: number
  ownedDomains: Host[]
  domains: { desired: number; observed: number; owned: number; foreign: number }
  /** Every host of the app with its state, sorted. */
  hosts: HostStatus[]
  /** Set while removals wait. `diff` is the plan as text. */
  plan?: { hash: string; removals: string[]; reason: string; message: string; diff: string }
  certificate?: { notAfter?: number; covered: string[]; uncovered: string[] }
  lastHandledReconcileAt?: string
  lastAttempt?: number
  lastSuccess?: number
  conditions: Condition[]
}

/** Everything that the status page, `/status.json` and `status` show. */
export interface Status {
  version: string
  generatedAt: number
  leader: boolean
  dryRun: boolean
  source: { name: string; synced: boolean; failure?: string; faults: { place: Place; message: string }[] }
  apps: AppStatus[]
  mappings: MappingStatus[]
}
