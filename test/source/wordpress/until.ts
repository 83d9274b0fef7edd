import { until as untilWithin } from '../../until.ts'

/** Waits until `what` holds, 20 seconds at most. */
export const until = (what: string, check: () => boolean | Promise<boolean>, ms = 20_000): Promise<void> =>
  untilWithin(what, check, ms)
