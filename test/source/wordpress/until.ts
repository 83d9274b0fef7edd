import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until `what` holds, 20 seconds at most; a failure of `check` counts as no. */
export async function until(what: string, check: () => boolean | Promise<boolean>, ms = 20_000): Promise<void> {
  const end = performance.now() + ms
  let last: unknown
  while (performance.now() < end) {
    try {
      if (await check()) return
    } catch (error) {
      last = error
    }
    await sleep(20)
  }
  throw new Error(`not within ${ms} ms: ${what}`, { cause: last })
}
