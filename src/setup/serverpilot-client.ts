import { createServerPilot } from '../serverpilot/client.ts'
import type { ServerPilotOptions } from '../serverpilot/options.ts'
import type { Credentials, ServerPilot } from '../serverpilot/serverpilot.ts'
import { systemClock } from '../time/clock.ts'
import type { Settings } from './settings.ts'

/** A client of one account, as the settings want it. `origin`: where the credentials come from, for messages. */
export function connectServerPilot(
  settings: Settings,
  version: string,
  { credentials, origin }: { credentials: Credentials; origin: string },
  more: Pick<ServerPilotOptions, 'timeoutMs' | 'assertMayWrite' | 'observe'> = {},
): ServerPilot {
  return createServerPilot({
    baseUrl: settings.serverpilotUrl,
    allowInsecureHttp: true, // checked with the flag when the settings were read
    credentials,
    credentialsOrigin: origin,
    updateMethod: settings.updateMethod,
    qps: settings.qps,
    clock: systemClock,
    proxy: settings.proxy,
    version,
    ...more,
  })
}
