import type { App } from '../api/objects.ts'
import { appDefaults } from '../api/schema.ts'
import type { Ambient, AmbientDatabase } from './credentials.ts'
import { UsageError } from './option.ts'

const KEY = 'default/default'

/**
 * The app that variables or a wp-config.php make when no object declares one; undefined when they name none. Throws `UsageError`
 * for an id that is not valid, and for a database without an app.
 */
export function defaultApp({ appId, database }: Ambient): App | undefined {
  if (appId === undefined) {
    if (database === undefined) return undefined
    throw new UsageError(
      `${database.origin} names a database, and nothing says which app its domains belong to: set SERVERPILOT_APP_ID, or WU_SERVER_PILOT_APP_ID in the wp-config.php.`,
    )
  }
  const spec = appDefaults(appId, database === undefined ? {} : { wordpress: wordpressOf(database) })
  if (spec === undefined) {
    throw new UsageError(
      'SERVERPILOT_APP_ID is not a valid app id: one consists of letters and digits, as in AAAAAAAAAAAAAAAA.',
    )
  }
  return {
    key: KEY,
    namespace: 'default',
    name: 'default',
    generation: 1,
    place: 'SERVERPILOT_APP_ID',
    labels: {},
    annotations: {},
    spec,
  }
}

/** Of the default app the Secret is not looked at: its database stands in the settings. */
const wordpressOf = ({ tablePrefix }: AmbientDatabase): object => ({
  connectionSecretRef: { name: 'settings' },
  tablePrefix,
})

/** Whether an app is the one that settings made, not one that an object declares. */
export const isDefaultApp = (app: App): boolean => app.key === KEY && app.place === 'SERVERPILOT_APP_ID'
