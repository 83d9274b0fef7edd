import fc from 'fast-check'
import type { Host } from '../../src/domain/host.ts'
import type { Claim, OwnershipRecord, Removal } from '../../src/ownership/record.ts'
import { DAY, HOUR, NOW } from './records.ts'

export const anyHost: fc.Arbitrary<Host> = fc.nat(14).map((i) => `h${i}.example` as Host)
export const anyHosts: fc.Arbitrary<Host[]> = fc.uniqueArray(anyHost, { maxLength: 12 })
const anyTime = fc.integer({ min: NOW - 2 * DAY, max: NOW + HOUR })

const anyClaim: fc.Arbitrary<Claim> = fc.record(
  {
    mapping: fc.constantFrom('default/a', 'default/b'),
    source: fc.constantFrom('manifests', 'wordpress'),
    state: fc.constantFrom('Pending', 'Uncertain', 'Held'),
    since: anyTime,
    implied: fc.constant(true),
    absentSince: anyTime,
  },
  { requiredKeys: ['mapping', 'source', 'state', 'since'], noNullPrototype: true },
)

export const anyRemoval: fc.Arbitrary<Removal> = fc.record(
  { host: anyHost, at: anyTime, approved: fc.constant(true) },
  { requiredKeys: ['host', 'at'], noNullPrototype: true },
)

/** Records of every shape that the program may come to write. */
export const anyRecord: fc.Arbitrary<OwnershipRecord> = fc.record(
  {
    version: fc.constant(1 as const),
    account: fc.string(),
    appId: fc.string({ minLength: 1 }),
    owner: fc.constantFrom('default/app', 'other/app'),
    writer: fc.record(
      { version: fc.string(), filters: fc.string(), epoch: fc.nat() },
      { requiredKeys: ['version', 'filters'], noNullPrototype: true },
    ),
    policy: fc.string(),
    hosts: fc.dictionary(anyHost, anyClaim, { noNullPrototype: true }) as fc.Arbitrary<Record<Host, Claim>>,
    removals: fc.array(anyRemoval, { maxLength: 12 }),
    approvalsUsed: fc.nat(),
    lastApproval: fc.string(),
    exclusiveApproved: fc.constant(true as const),
    rejected: fc.dictionary(
      anyHost,
      fc.record(
        {
          words: fc.string({ unit: 'binary' }),
          at: anyTime,
          retryAt: anyTime,
          attempts: fc.nat(),
          generation: fc.nat(),
        },
        { noNullPrototype: true },
      ),
      { noNullPrototype: true },
    ),
    ssl: fc.record({ hosts: fc.string(), attempts: fc.nat(), lastAt: anyTime }, { noNullPrototype: true }),
    lastSeen: fc.array(fc.string().map((name) => name as Host)),
  },
  {
    requiredKeys: ['version', 'account', 'appId', 'owner', 'writer', 'hosts', 'removals', 'approvalsUsed', 'rejected'],
    noNullPrototype: true,
  },
)
