import type { App, Key } from '../api/objects.ts'
import type { Log } from '../log/log.ts'
import type { DatabaseSource, MappingRead, ObjectSource } from '../source/source.ts'
import { type AmbientDatabase, isDefaultApp } from './ambient.ts'
import type { Secrets } from './secrets.ts'

/** Finds the database of an app: that of the settings for the app that they make, else of its Secret. `origin` shows no part of the URL. */
export function connectionUrlOf(
  objects: Pick<ObjectSource, 'secret'>,
  ambient: AmbientDatabase | undefined,
  secrets: Pick<Secrets, 'addUrl'>,
): (app: App) => Promise<Pick<AmbientDatabase, 'url' | 'origin' | 'defined'>> {
  return async (app) => {
    if (isDefaultApp(app) && ambient !== undefined) return ambient
    const { name, key } = app.spec.wordpress?.connectionSecretRef ?? { name: '', key: '' }
    const origin = `Secret ${app.namespace}/${name}, key ${key}`
    const url = await objects.secret(app.namespace, name, key)
    if (url === undefined) throw new Error(`${origin}: there is no such Secret, or it has no such key`)
    secrets.addUrl(url)
    return { url: url.trim(), origin }
  }
}

const NOTHING: MappingRead = { source: 'wordpress', mappings: [] }
const NOT_READ: MappingRead = {
  source: 'wordpress',
  mappings: [],
  failure: { source: 'wordpress', message: 'The database was not read yet.' },
}

const hasDatabase = (app: App): boolean => app.spec.wordpress !== undefined

/** Databases whose driver is loaded only once an app has one: it costs more than all the rest of most installs. */
export function createDatabases(load: () => Promise<DatabaseSource>, log: Log): DatabaseSource {
  let apps: readonly App[] = []
  let inner: DatabaseSource | undefined
  let notify: ((apps: ReadonlySet<Key>) => void) | undefined
  let opening: Promise<void> | undefined

  async function open(): Promise<void> {
    const source = await load()
    inner = source
    source.follow(apps)
    await source.start((changed) => notify?.(changed))
    notify?.(new Set(apps.filter(hasDatabase).map((app) => app.key)))
  }

  function openWhenNeeded(): Promise<void> | undefined {
    if (notify === undefined || !apps.some(hasDatabase)) return undefined
    opening ??= open()
    return opening
  }

  return {
    name: 'wordpress',
    follow(now) {
      apps = now
      if (inner !== undefined) inner.follow(now)
      else openWhenNeeded()?.catch((error: unknown) => log.error('Databases cannot be read', { error }))
    },
    async start(changed) {
      notify = changed
      await openWhenNeeded()
    },
    async stop() {
      notify = undefined
      await opening?.catch(() => undefined)
      await inner?.stop()
    },
    looked: () => inner?.looked() ?? !apps.some(hasDatabase),
    mappingsOf(app) {
      if (!hasDatabase(app)) return NOTHING
      return inner?.mappingsOf(app) ?? NOT_READ
    },
  }
}
