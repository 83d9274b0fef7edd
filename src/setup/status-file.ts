import { createHash } from 'node:crypto'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Log } from '../log/log.ts'
import type { Status } from '../status/status.ts'
import type { StatusStore } from '../status/store.ts'
import { type Clock, every, systemClock } from '../time/clock.ts'
import type { Io } from './io.ts'

/** Name of the file in the state folder that the daemon writes, and `status` and `explain` read. */
const STATUS_FILE = 'status.json'

/** How often it is looked whether something changed; ms. */
const STATUS_EVERY = 2_000

const object = z.looseObject({
  key: z.string(),
  conditions: z.array(z.looseObject({ type: z.string() })),
  hosts: z.array(z.looseObject({})),
})
const shape = z.looseObject({
  version: z.string(),
  generatedAt: z.number(),
  source: z.looseObject({ name: z.string(), faults: z.array(z.looseObject({})) }),
  apps: z.array(object.extend({ domains: z.looseObject({}) })),
  mappings: z.array(object),
})

/** The file that the daemon keeps; undefined where there is none, or none that can be read: then a fresh look is taken. */
export function readStatusFile(io: Pick<Io, 'readFile'>, dir: string): Status | undefined {
  try {
    const value: unknown = JSON.parse(io.readFile(join(dir, STATUS_FILE)))
    return shape.safeParse(value).success ? (value as Status) : undefined
  } catch {
    return undefined
  }
}

/** Takes it away: it says what was so before, and no daemon runs that would write it again. */
export async function forgetStatusFile(dir: string): Promise<void> {
  await rm(join(dir, STATUS_FILE), { force: true })
}

/** Writes the status to the state folder now and then, for `status`. */
export function keepStatus(
  dir: string,
  statuses: Pick<StatusStore, 'status' | 'changes'>,
  log: Log,
  clock: Pick<Clock, 'after'> = systemClock,
): { stop(): Promise<void> } {
  let last = ''
  let seen = -1
  const write = async (): Promise<void> => {
    // Of 30,000 mappings it is many megabytes: made only when something changed, and once.
    const changes = statuses.changes()
    if (changes === seen) return
    const { generatedAt, ...rest } = statuses.status()
    const text = JSON.stringify(rest)
    const digest = createHash('sha256').update(text).digest('base64')
    if (digest !== last) {
      await mkdir(dir, { recursive: true, mode: 0o700 })
      const path = join(dir, STATUS_FILE)
      await writeFile(`${path}.tmp`, `{"generatedAt":${generatedAt},${text.slice(1)}`, { mode: 0o600 })
      await rename(`${path}.tmp`, path)
    }
    last = digest
    seen = changes
  }
  const attempt = (): Promise<void> => write().catch((error: unknown) => log.warn('Status file not written', { error }))
  const end = every(clock, STATUS_EVERY, attempt)
  return {
    async stop() {
      end()
      await attempt()
    },
  }
}
