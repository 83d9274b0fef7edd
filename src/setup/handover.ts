import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Cancel, type Clock, every, systemClock } from '../time/clock.ts'

/**
 * How `apply --approve` reaches a daemon that holds the state folder: the hash goes into a file there, and the daemon looks. An
 * approval fits one plan and serves once, so that the file may stay.
 */
const FILE = 'approval'
/** Approvals that are kept: each fits one plan, and old ones fit none. */
const KEPT = 20

/** Hands an approval to the daemon that holds the folder. */
export function handOver(stateDir: string, hash: string): void {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 })
  const path = join(stateDir, FILE)
  const hashes = [...handedApprovals(stateDir).filter((each) => each !== hash), hash].slice(-KEPT)
  writeFileSync(`${path}.tmp`, `${hashes.join('\n')}\n`, { mode: 0o600 })
  renameSync(`${path}.tmp`, path)
}

/** The approvals that were handed over, the latest last; none when there is no file. */
export function handedApprovals(stateDir: string): string[] {
  try {
    const lines = readFileSync(join(stateDir, FILE), 'utf8').split('\n')
    return lines.filter((line) => /^[0-9a-f]{16}$/.test(line))
  } catch {
    return []
  }
}

/** How often it is looked whether another approval was handed over; ms. */
const LOOK_EVERY = 1_000

/** Calls `changed` when another approval was handed over. Gives a function that ends it. */
export function watchApprovals(
  stateDir: string,
  changed: () => void,
  clock: Pick<Clock, 'after'> = systemClock,
): Cancel {
  const stamp = (): number => statSync(join(stateDir, FILE), { throwIfNoEntry: false })?.mtimeMs ?? 0
  let last = stamp()
  return every(clock, LOOK_EVERY, () => {
    const now = stamp()
    if (now !== last) changed()
    last = now
  })
}
