import { EXIT, type Io } from '../setup/io.ts'
import type { Given } from '../setup/option.ts'
import { type Started, serve } from '../setup/serve.ts'
import { type Setup, setUp } from '../setup/setup.ts'

/** `run`: the daemon, until SIGTERM or SIGINT. A changed wp-config.php makes it begin again with what the file says then. */
export async function runCommand(io: Io, given: Given, started?: Started): Promise<number> {
  for (;;) {
    const changed = new AbortController()
    const signal = AbortSignal.any([io.signal, changed.signal])
    const status = await runOnce({ ...io, signal }, given, changed, started).catch((error: unknown) => {
      // To be stopped is how it ends, however far it had come.
      if (io.signal.aborted) return EXIT.done
      throw error
    })
    if (io.signal.aborted || !changed.signal.aborted) return status
  }
}

async function runOnce(io: Io, given: Given, changed: AbortController, started?: Started): Promise<number> {
  io.signal.throwIfAborted()
  const setup = await setUp(io, given, { oneShot: false, writes: true })
  let endFollowing: (() => void) | undefined
  try {
    endFollowing = await followWpConfig(io, setup, () => changed.abort())
    return (await serve(io, setup, started)) ? EXIT.done : EXIT.failed
  } finally {
    endFollowing?.()
    await setup.close()
  }
}

/** Calls `changed` once the file of `--wp-config` says something else; one that cannot be read is logged, and changes nothing. */
async function followWpConfig(io: Io, { log, settings }: Setup, changed: () => void): Promise<() => void> {
  const path = settings.wpConfig
  if (path === undefined) return () => undefined
  const { watchWpConfig } = await import('../setup/wp-config-file.ts')
  return watchWpConfig({ ...settings, path }, io, {
    changed() {
      log.info('The wp-config.php changed: starting again with it', { path })
      changed()
    },
    broken: (error) => log.warn('The wp-config.php cannot be read: what it said before goes on', { path, error }),
  })
}
