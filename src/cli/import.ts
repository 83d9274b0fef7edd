import { AMBIENT, connectServerPilot } from '../setup/accounts.ts'
import { EXIT, endWith, type Io } from '../setup/io.ts'
import { type Given, UsageError } from '../setup/option.ts'
import { loadSettings } from '../setup/settings.ts'
import { importText, wpConfigTemplate } from './import-text.ts'
import { startProgress } from './progress.ts'

/** `import`: prints the objects that describe what ServerPilot has now, so that a first `plan` is empty. */
export async function importCommand(io: Io, given: Given): Promise<number> {
  if (given.foreign === true) return await (await import('./import-foreign.ts')).importForeign(io, given)
  const settings = await loadSettings(io, given)
  if (settings.wpConfig !== undefined) {
    io.out(wpConfigTemplate(settings.ambient))
    return EXIT.done
  }
  const { credentials, appId } = settings.ambient
  if (credentials === undefined) {
    throw new UsageError('Set SERVERPILOT_CLIENT_ID and SERVERPILOT_API_KEY: import asks ServerPilot what there is.')
  }
  const account = connectServerPilot(io, settings, { credentials, origin: AMBIENT })
  const progress = startProgress(io, 'Asking ServerPilot')
  const apps = await account.listApps(io.signal).finally(() => progress.stop())
  const chosen = appId === undefined ? apps : apps.filter((app) => app.id === appId)
  if (chosen.length === 0)
    return endWith(io, EXIT.failed, `The account has no app${appId === undefined ? '' : ` ${appId}`}.`)
  io.out(importText(chosen))
  return EXIT.done
}
