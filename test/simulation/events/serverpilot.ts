import type { FaultRule } from '../../../src/simulator/faults.ts'
import { type EventKind, MINUTE } from './kind.ts'

/** A fault of ServerPilot for some calls. */
function fault(name: string, rule: FaultRule, most = 6): EventKind {
  return {
    name,
    happen(world, random) {
      const times = random.whole(1, most)
      const narrowed = random.chance(0.5) ? { method: random.pick(['GET', 'POST']) } : {}
      world.serverpilot.core.faults.add({ ...rule, times, after: random.whole(0, 3), ...narrowed })
      return `${times} call(s) at ServerPilot: ${JSON.stringify({ ...rule, ...narrowed })}`
    },
  }
}

/** What ServerPilot does to its callers. */
export const serverpilot: readonly EventKind[] = [
  fault('status-500', { kind: 'status' }),
  fault('status-503', { kind: 'status', status: 503 }),
  fault('status-404', { kind: 'status', status: 404 }, 2),
  fault('status-401', { kind: 'status', status: 401 }, 2),
  fault('status-after', { kind: 'statusAfter' }),
  fault('html-502', { kind: 'html502' }),
  fault('html-502-after', { kind: 'html502After' }),
  fault('html-200', { kind: 'html200' }, 3),
  fault('redirect', { kind: 'redirect' }, 3),
  fault('rate-limited', { kind: 'rateLimited', retryAfter: 20 }),
  fault('timeout-before', { kind: 'timeoutBefore' }),
  fault('timeout-after', { kind: 'timeoutAfter' }),
  fault('timeout-late', { kind: 'timeoutLate', ms: 45_000 }),
  fault('reset-before', { kind: 'resetBefore' }),
  fault('reset-after', { kind: 'resetAfter' }),
  fault('truncated', { kind: 'truncated' }),
  fault('malformed', { kind: 'malformed' }),
  fault('stale', { kind: 'stale', method: 'GET' }, 1),
  fault('empty', { kind: 'empty', method: 'GET' }, 2),
  fault('empty-halved', { kind: 'empty', variant: 'halved', method: 'GET' }, 2),
  fault('empty-null', { kind: 'empty', variant: 'null' }, 2),
  fault('empty-list', { kind: 'empty', variant: 'list', method: 'GET' }, 2),
  fault('dropped-write', { kind: 'droppedWrite' }, 3),
  fault('slow', { kind: 'slow', ms: 12_000 }),
  fault('action-error', { kind: 'actionError' }, 2),
  fault('action-stuck', { kind: 'actionStuck' }, 2),
  {
    name: 'serverpilot-away',
    happen(world, random) {
      const minutes = random.whole(1, 30)
      world.serverpilot.trouble.away = true
      world.heal(minutes * MINUTE, () => {
        world.serverpilot.trouble.away = false
      })
      return `ServerPilot is away for ${minutes} minutes`
    },
  },
  {
    name: 'serverpilot-slow',
    happen(world, random) {
      world.serverpilot.trouble.slowMs = 10_000
      world.heal(random.whole(1, 10) * MINUTE, () => {
        world.serverpilot.trouble.slowMs = 60
      })
      return 'ServerPilot takes up to 20 s a call'
    },
  },
]
