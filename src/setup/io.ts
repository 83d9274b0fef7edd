import { visible, visibleLines } from '../log/visible.ts'
import type { Environment } from './option.ts'
import { type Outside, REAL } from './outside.ts'

/** The process as commands see it: main.ts makes it, tests make their own. */
export interface Io {
  environment: Environment
  /** Results. */
  out(text: string): void
  /** Logs and progress. */
  err(text: string): void
  /** Colours and spinners only on these. */
  outIsTerminal: boolean
  errIsTerminal: boolean
  colour: boolean
  /** Columns. */
  width: number
  readFile(path: string): string
  /** Aborted by SIGINT or SIGTERM. */
  signal: AbortSignal
  version: string
  /** The world around the process, where it is another than the real one. */
  outside?: Outside
  /** Called by kubectl, as `kubectl domainpilot`. */
  plugin?: boolean
  /** Asks the person at the terminal, on standard error, for a line; rejects once the signal aborts. Undefined when standard input is no terminal. */
  ask?: (question: string) => Promise<string>
}

/** How the user calls the program, for help and hints. */
export const calledAs = (io: Pick<Io, 'plugin'>): string => (io.plugin ? 'kubectl domainpilot' : 'domainpilot')

/** The world around the process. */
export const outsideOf = ({ outside = REAL }: Pick<Io, 'outside'>): Outside => outside

/** Exit statuses: docs/getting-started.md. */
export const EXIT = { done: 0, failed: 1, differences: 2, refused: 3, usage: 64 } as const

/** Prints a result as JSON: names in it are what they are, and no control character reaches a terminal. */
export const outJson = (io: Pick<Io, 'out'>, value: unknown): void =>
  io.out(`${visibleLines(JSON.stringify(value, null, 2))}\n`)

/** Says one line on standard error. */
export const errLine = (io: Pick<Io, 'err'>, words: string): void => io.err(`${visible(words)}\n`)

/** Says on standard error why a command ends. Gives `status`. */
export function endWith(io: Pick<Io, 'err'>, status: number, words: string): number {
  io.err(`${visibleLines(words)}\n`)
  return status
}
