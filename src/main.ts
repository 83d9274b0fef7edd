#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { messageOf } from './log/message-of.ts'
import { EXIT, endWith, type Io } from './setup/io.ts'
import { openOutput } from './setup/output.ts'
import { systemClock } from './time/clock.ts'
import { VERSION } from './version.ts'

/** How long what a stop left over may take to end by itself; ms. */
const LEFT_OVERS_MS = 300

/** The only reader of process.*: parse, run, release. */
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    stop.abort(new Error(`stopped by ${signal}`))
    // A second one means now.
    process.once(signal, () => process.exit(signal === 'SIGINT' ? 130 : 143))
  })
}

const io: Io = {
  environment: process.env,
  out: openOutput(process.stdout, resultLost),
  err: (text) => process.stderr.write(text),
  outIsTerminal: process.stdout.isTTY === true,
  // One without columns (a pseudo-terminal that nobody sized) has no place for a spinner, which would fill it for ever.
  errIsTerminal: process.stderr.isTTY === true && process.stderr.columns > 0,
  colour: !process.env.NO_COLOR && process.env.TERM !== 'dumb',
  width: process.stdout.columns || 80,
  readFile: (path) => readFileSync(path, 'utf8'),
  signal: stop.signal,
  version: VERSION,
  // kubectl runs what is called kubectl-domainpilot on the PATH.
  plugin: [process.argv[1], process.argv0].some((path) => basename(path ?? '').startsWith('kubectl-')),
  ...(process.stdin.isTTY === true ? { ask } : {}),
}

async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return await terminal.question(question, { signal: stop.signal })
  } finally {
    terminal.close()
  }
}

/** What a command had to do goes on; its status is that of a failure in the end. */
function resultLost(code: string): void {
  io.err(
    `The result cannot be written to standard output (${code}). Write it where there is room, and run the command again.\n`,
  )
  process.once('exit', () => {
    process.exitCode = EXIT.failed
  })
}

// Nobody is left who could be told that there is no log any more: that keeps the daemon from nothing.
process.stderr.on('error', () => undefined)

async function main(): Promise<number> {
  let status: number = EXIT.done
  // After the handlers of signals: loading takes long enough to be stopped meanwhile.
  const { buildProgram, CommanderError, UsageError } = await import('./cli/program.ts')
  const program = buildProgram(io, (code) => {
    status = code
  })
  try {
    await program.parseAsync(process.argv)
    return status
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
    if (error instanceof UsageError) return endWith(io, EXIT.usage, error.message)
    return endWith(io, EXIT.failed, stop.signal.aborted ? 'Stopped.' : messageOf(error))
  }
}

process.exitCode = await main()
// A read that was given up because of the stop, and that nobody answers, would keep the process alive.
if (stop.signal.aborted) systemClock.after(LEFT_OVERS_MS, () => process.exit(), { idle: true })
