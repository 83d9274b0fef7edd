/** What liveness and readiness are judged by. Times are epoch milliseconds. */
export interface HealthFacts {
  /** When the loop turned last; at first, when it was started. */
  lastTurn: number
  /** True once every source was read as a whole. */
  synced: boolean
  /** False on a standby, which waits for the Lease and is ready for that. */
  leader: boolean
  /** True from the moment that the program was asked to stop: traffic should go elsewhere. */
  stopping: boolean
}

/** A verdict with the sentence that the endpoint answers. */
export interface HealthVerdict {
  ok: boolean
  message: string
}

/**
 * Live while the loop turned within `maxSilence` milliseconds before `now`. Faults of sources or of ServerPilot do not count:
 * a restart cures neither.
 */
export function liveness(facts: HealthFacts, maxSilence: number, now: number): HealthVerdict {
  const silence = now - facts.lastTurn
  if (silence <= maxSilence) return { ok: true, message: 'ok' }
  return { ok: false, message: `the loop has not turned for ${Math.round(silence / 1000)} s` }
}

/** Ready when the sources were read once, or when another replica leads and this one waits. */
export function readiness(facts: HealthFacts): HealthVerdict {
  if (facts.stopping) return { ok: false, message: 'stopping' }
  if (!facts.leader) return { ok: true, message: 'ok: standby' }
  if (facts.synced) return { ok: true, message: 'ok' }
  return { ok: false, message: 'the sources were not read as a whole yet' }
}
