import type { Host } from '../../src/domain/host.ts'
import { type Claim, emptyRecord, type OwnershipRecord, type Removal } from '../../src/ownership/record.ts'

/** A time to count from; epoch ms. */
export const NOW = Date.UTC(2026, 0, 15)
export const HOUR = 3_600_000
export const DAY = 24 * HOUR

/** `h0.example`, `h1.example`, … */
export function hosts(count: number, from = 0): Host[] {
  return Array.from({ length: count }, (_, i) => `h${from + i}.example` as Host)
}

/** A record that holds these hosts since two days. */
export function recordOf(owned: readonly Host[], removals: readonly Removal[] = []): OwnershipRecord {
  const claim: Claim = { mapping: 'default/m', source: 'manifests', state: 'Held', since: NOW - 2 * DAY }
  return {
    ...emptyRecord('account', 'app', 'default/app', { version: '0.1.0', filters: 'f' }),
    hosts: Object.fromEntries(owned.map((host) => [host, claim])),
    removals: [...removals],
  }
}
