import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Status } from '../report/status.ts'
import type { Io } from './io.ts'

/** Name of the file in the state folder that the daemon writes, and `status` and `explain` read. */
export const STATUS_FILE = 'status.json'

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

/** Takes it away: it tells what was so before, and no daemon runs that would write it anew. */
export async function forgetStatusFile(dir: string): Promise<void> {
  await rm(join(dir, STATUS_FILE), { force: true })
}
