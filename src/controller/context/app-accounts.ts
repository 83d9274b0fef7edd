import type { App, Key } from '../../api/objects.ts'
import type { ServerPilot } from '../../serverpilot/serverpilot.ts'
import type { Ports } from './ports.ts'

export type AppAccounts = ReturnType<typeof createAppAccounts>

/** Which account each app was found to be in, by its client id. Conflicts and moves are settled among all apps of an account. */
export function createAppAccounts(ports: Pick<Ports, 'objects' | 'accountOf'>) {
  const known = new Map<Key, string>()

  /** Finds the account of an app and remembers it. Throws `ReconcileError`. */
  async function find(app: App): Promise<ServerPilot> {
    const account = await ports.accountOf(app)
    known.set(app.key, account.account)
    return account
  }

  return {
    find,
    /** Finds every account that is not known yet, also of suspended apps. What is wrong with credentials the app's own reconcile reports. */
    async findAll(): Promise<void> {
      for (const app of ports.objects.apps()) if (!known.has(app.key)) await find(app).catch(() => undefined)
    },
    of: (key: Key): string | undefined => known.get(key),
    /** The apps of an account that are known. */
    appsOf: (account: string): readonly App[] => ports.objects.apps().filter(({ key }) => known.get(key) === account),
    forget: (key: Key) => void known.delete(key),
  }
}
