import { setImmediate } from 'node:timers/promises'

/** Lets timers and input be served before work goes on that would otherwise follow without a break. */
export const nextTurn = (): Promise<void> => setImmediate()
