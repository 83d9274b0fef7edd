import type { Log } from './log.ts'

/** The log of a command that says by itself what a person has to know. */
export const quiet: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
