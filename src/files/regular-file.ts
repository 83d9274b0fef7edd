import type { FileSystem } from './file-system.ts'

/** Something that is not a file stands where one belongs: a pipe or a device, which would be read without an end, or a folder. */
export class NotAFileError extends Error {
  override readonly name = 'NotAFileError'
}

/** The bytes of a file. Throws `NotAFileError`, and the errors of the system. */
export async function readRegularFile(path: string, fs: Pick<FileSystem, 'stat' | 'readFile'>): Promise<Buffer> {
  if (!(await fs.stat(path)).isFile()) throw new NotAFileError(`${path} is not a file.`)
  return await fs.readFile(path)
}
