import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { FilesByHand } from '../disk.ts'

/** Files on the disk of this machine. */
export const realFiles: FilesByHand = {
  makeFolder: (path) => void mkdirSync(path, { recursive: true }),
  put: (path, text) => writeFileSync(path, text),
  take: (path) => rmSync(path, { force: true }),
  names: (path) => readdirSync(path),
  text(path) {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      return undefined
    }
  },
}
