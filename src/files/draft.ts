import { randomUUID } from 'node:crypto'
import { basename, dirname, join } from 'node:path'

/** Name of a file that is to take the place of another one: of its own, so that nothing that stands there is written into. */
export const draftOf = (path: string): string => join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`)
