/** What liveness and readiness are judged by. */
export interface HealthFacts {
  /** How long no work that is under way has got on; ms. 0 while none is, as on a standby and between two sweeps. */
  silence: number
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
 * Live unless the work that is under way stands still for more than `maxSilence` milliseconds. How rarely there is any does not count,
 * nor do faults of sources or of ServerPilot: a restart cures neither.
 */
export function liveness({ silence }: HealthFacts, maxSilence: number): HealthVerdict {
  if (silence <= maxSilence) return { ok: true, message: 'ok' }
  return { ok: false, message: `the work that is under way has not got on for ${Math.round(silence / 1000)} s` }
}

/** Ready when the sources were read once, or when another replica leads and this one waits. */
export function readiness(facts: HealthFacts): HealthVerdict {
  if (facts.stopping) return { ok: false, message: 'stopping' }
  if (!facts.leader) return { ok: true, message: 'ok: standby' }
  if (facts.synced) return { ok: true, message: 'ok' }
  return { ok: false, message: 'the sources were not read as a whole yet' }
}
