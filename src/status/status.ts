import type { Key, Place } from '../api/objects.ts'
import type { HostStatus } from './host-status.ts'
import type { AppWire, ConditionWire, MappingWire, PlanWire } from './wire/wire.ts'

/** One condition, kstatus style. `lastTransitionTime` (epoch ms) moves only when `status` does. */
export type Condition = ConditionWire

export interface MappingStatus extends MappingWire {
  key: Key
  app: Key
  source: string
  place: Place
  domain: string
  hosts: HostStatus[]
  conditions: Condition[]
}

export interface AppStatus extends AppWire {
  key: Key
  appId: string
  policy: string
  place: Place
  /** Every host of the app with its state, sorted. */
  hosts: HostStatus[]
  /** Set while removals wait. `diff` is the plan as text. */
  plan?: (PlanWire & { diff: string }) | undefined
  lastAttempt?: number
  lastSuccess?: number | undefined
  conditions: Condition[]
}

/** Everything that the status page, `/status.json` and `status` show. */
export interface Status {
  version: string
  generatedAt: number
  leader: boolean
  dryRun: boolean
  source: { name: string; synced: boolean; failure?: string | undefined; faults: { place: Place; message: string }[] }
  apps: AppStatus[]
  mappings: MappingStatus[]
}
