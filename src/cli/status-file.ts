import { join } from 'node:path'
import { z } from 'zod'
import type { Status } from '../report/status.ts'
import type { Io } from './io.ts'

/** Name of the file in the state folder that the daemon writes, and `status` and `explain` read. */
export const STATUS_FILE = 'status.json'

const shape = z.looseObject({
  generatedAt: z.number(),
  apps: z.array(z.looseObject({})),
  mappings: z.array(z.looseObject({})),
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
