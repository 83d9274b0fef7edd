import * as callbacks from 'node:fs'
import * as promises from 'node:fs/promises'

/** What the program uses of `node:fs` and `node:fs/promises`: it runs on `systemFiles`, a test or a simulation brings its own. */
export type FileSystem = Pick<typeof callbacks, 'readFileSync' | 'statSync' | 'watch'> &
  Pick<
    typeof promises,
    | 'copyFile'
    | 'link'
    | 'lstat'
    | 'mkdir'
    | 'open'
    | 'readdir'
    | 'readFile'
    | 'readlink'
    | 'realpath'
    | 'rename'
    | 'rm'
    | 'stat'
    | 'writeFile'
  >

/** The file system of the machine. */
export const systemFiles: FileSystem = {
  ...promises,
  readFileSync: callbacks.readFileSync,
  statSync: callbacks.statSync,
  watch: callbacks.watch,
}
