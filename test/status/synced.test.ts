import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Host } from '../../src/domain/host.ts'
import type { Held } from '../../src/plan/held.ts'
import type { Plan } from '../../src/plan/plan.ts'
import { type Outcome, outcomeOf } from '../../src/status/outcome.ts'
import { OTHERS_TURN, syncedOf } from '../../src/status/synced.ts'
import { app } from '../plan/fixture.ts'

const held = new Map([['a.example.com' as Host, { reason: 'AwaitingDNS', message: 'no record.' } as Held]])
const refused = { reason: 'RemovalRefused', message: 'too many.' } as const

function plan(more: object = {}): Plan {
  return { changes: [], waiting: [], held: new Map(), kept: 3, ...more } as unknown as Plan
}

/** Everything is wrong at once; each row takes away what the row before spoke of. */
const ROWS: [change: Partial<Outcome>, says: string][] = [
  [{ result: 'Suspended' }, 'Unknown Suspended spec.suspend is true: nothing is read or written.'],
  [{ result: 'Planned' }, 'False InvalidSpec spec.appId is missing'],
  [{ app: app() }, 'False ApiUnreachable away'],
  [
    { failure: undefined },
    'False SourceUnavailable Source wordpress: no answer. Nothing is removed until it can be read again.',
  ],
  [{ frozen: new Map() }, 'Unknown Progressing Not looked at yet.'],
  [
    { plan: plan({ refused, held, changes: [1, 2], waiting: ['b', 'c'] }) },
    'False RemovalRefused too many. Held back: b, c.',
  ],
  [{ plan: plan({ held, changes: [1, 2] }) }, 'False DryRun 2 change(s) worked out and not written.'],
  [{ plan: plan({ held }) }, 'False AwaitingDNS a.example.com: no record.'],
  [{ plan: plan() }, 'True Succeeded 3 host(s) in place.'],
]

test('the first cause that stands in the way is said', () => {
  let outcome = outcomeOf({
    key: 'wordpress/network',
    app: { ...app(), fault: 'spec.appId is missing' },
    startedAt: 0,
    failure: { reason: 'ApiUnreachable', message: 'away', retryable: true },
    frozen: new Map([['wordpress', 'no answer.']]),
  })
  for (const [change, says] of ROWS) {
    outcome = { ...outcome, ...change }
    const { status, reason, message } = syncedOf(outcome)
    assert.equal(`${status} ${reason} ${message}`, says)
  }
})

test('a-customers-turn-is-no-alert: what waits for a customer or for time hides nothing that waits for us', () => {
  const holds = (...reasons: Held['reason'][]) =>
    new Map(reasons.map((reason, index) => [`${index}.example.com` as Host, { reason, message: `${reason}!` }]))
  const said = (...reasons: Held['reason'][]) =>
    syncedOf(outcomeOf({ key: 'wordpress/network', startedAt: 0, plan: plan({ held: holds(...reasons) }) }))
  for (const quiet of OTHERS_TURN) {
    assert.equal(said(quiet).reason, quiet)
    for (const loud of ['AppFull', 'Rejected', 'ResolverFailed', 'Contended'] as const) {
      const { reason, message } = said(quiet, loud)
      assert.equal(reason, loud)
      assert.equal(message, `1.example.com: ${loud}!; 0.example.com: ${quiet}!`)
    }
  }
})
