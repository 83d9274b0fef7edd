import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * How `apply --approve` reaches a daemon that holds the state folder: the hash goes into a file there, and the daemon looks. An
 * approval fits one plan and serves once, so that the file may stay.
 */
const FILE = 'approval'

/** Hands an approval to the daemon that holds the folder. */
export function handOver(stateDir: string, hash: string): void {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 })
  const path = join(stateDir, FILE)
  writeFileSync(`${path}.tmp`, `${hash}\n`, { mode: 0o600 })
  renameSync(`${path}.tmp`, path)
}

/** The approval that was handed over last; none when there is no file. */
export function handedApprovals(stateDir: string): string[] {
  try {
    const hash = readFileSync(join(stateDir, FILE), 'utf8').trim()
    return /^[0-9a-f]{16}$/.test(hash) ? [hash] : []
  } catch {
    return []
  }
}

/** Calls `changed` when another approval was handed over; looks every `everyMs` milliseconds. Gives a function that ends it. */
export function watchApprovals(stateDir: string, everyMs: number, changed: () => void): () => void {
  const stamp = (): number => statSync(join(stateDir, FILE), { throwIfNoEntry: false })?.mtimeMs ?? 0
  let last = stamp()
  const timer = setInterval(() => {
    const now = stamp()
    if (now !== last) changed()
    last = now
  }, everyMs)
  return () => clearInterval(timer)
}
