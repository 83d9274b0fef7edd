import { createServerPilot } from '../serverpilot/client.ts'
import type { ServerPilotOptions } from '../serverpilot/options.ts'
import type { ServerPilot } from '../serverpilot/serverpilot.ts'
import { systemClock } from '../time/clock.ts'
import type { AccountAccess } from './accounts.ts'
import type { Settings } from './settings.ts'

/** A client of one account, as the settings want it. */
export function connectServerPilot(
  settings: Settings,
  version: string,
  { credentials, origin }: AccountAccess,
  more: Pick<ServerPilotOptions, 'timeoutMs' | 'assertMayWrite' | 'observe'> = {},
): ServerPilot {
  return createServerPilot({
    ...settings,
    baseUrl: settings.serverpilotUrl,
    allowInsecureHttp: true, // checked with the flag when the settings were read
    credentials,
    credentialsOrigin: origin,
    updateMethod: settings.serverpilotUpdateMethod,
    qps: settings.serverpilotQps,
    clock: systemClock,
    version,
    ...more,
  })
}
