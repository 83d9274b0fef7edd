import type { Io } from '../../src/setup/io.ts'

/** A process without a terminal, an environment and files, that says nothing. */
export const silentIo = (): Io => ({
  environment: {},
  out: () => undefined,
  err: () => undefined,
  outIsTerminal: false,
  errIsTerminal: false,
  colour: false,
  width: 80,
  readFile: () => '',
  signal: new AbortController().signal,
  version: '0.0.0',
})
