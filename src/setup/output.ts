import { writeSync } from 'node:fs'
import { Socket } from 'node:net'

/** Standard output of the process. */
type Stream = NodeJS.WritableStream & { fd: number }

/**
 * A function that writes to standard output. When that fails, `lost` is called once, with the code of the system's error, and nothing
 * more is written. A reader that had enough (`| head`) is not a failure: the command goes on to its end, and nobody reads it.
 */
export function openOutput(stream: Stream, lost: (code: string) => void): (text: string) => void {
  let closed = false
  const failed = ({ code = 'an unknown error' }: NodeJS.ErrnoException): void => {
    if (!closed && code !== 'EPIPE') lost(code)
    closed = true
  }
  stream.on('error', failed)
  return (text) => {
    if (closed) return
    if (stream instanceof Socket) stream.write(text)
    else writeWhole(stream.fd, text, failed)
  }
}

/** A stream of Node takes a write to a file that was cut short, as a full disk does it, for a whole one. */
function writeWhole(fd: number, text: string, failed: (error: NodeJS.ErrnoException) => void): void {
  const bytes = Buffer.from(text)
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done)
  } catch (error) {
    failed(error as NodeJS.ErrnoException)
  }
}
