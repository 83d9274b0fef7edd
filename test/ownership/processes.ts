import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

const WRITER = join(import.meta.dirname, 'writer-process.ts')

/** A child that holds a state folder, and what it has said so far. */
export interface Writer {
  child: ChildProcess
  said(): string[]
  /** Ends it without a chance to tidy up, and waits until it is gone. */
  kill(): Promise<void>
}

/** Starts a child and waits until it holds the folder. */
export async function startWriter(t: TestContext, stateDir: string, task: 'write' | 'hold'): Promise<Writer> {
  const child = spawn(process.execPath, [WRITER, stateDir, task], { stdio: ['ignore', 'pipe', 'inherit'] })
  const gone = once(child, 'exit')
  t.after(() => child.kill('SIGKILL'))
  let output = ''
  child.stdout.setEncoding('utf8')
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk: string) => {
      output += chunk
      if (output.includes('held\n')) resolve()
    })
    gone.then(() => reject(new Error(`the child ended: ${output}`)), reject)
  })
  return {
    child,
    // The last piece is a line that is not complete yet, or empty.
    said: () => output.split('\n').slice(1, -1),
    async kill() {
      child.kill('SIGKILL')
      await gone
    },
  }
}

/** A folder that goes with the test. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'domainpilot-test-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}
