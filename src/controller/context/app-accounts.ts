import type { App, Key } from '../../api/objects.ts'
import type { ServerPilot } from '../../serverpilot/serverpilot.ts'
import type { Ports } from './ports.ts'

/** Which account each app was found to be in, by its client id. Conflicts and moves are settled among all apps of an account. */
export interface AppAccounts {
  /** Finds the account of an app and remembers it. Throws `ReconcileError`. */
  find(app: App): Promise<ServerPilot>
  /**
   * Finds the account of every app that is not known yet, suspended ones too. What is wrong with an app's credentials its own
   * reconcile reports.
   */
  findAll(): Promise<void>
  of(key: Key): string | undefined
  /** The apps of an account that are known. */
  appsOf(account: string): readonly App[]
  forget(key: Key): void
}

/** No account is known yet. */
export function createAppAccounts(ports: Pick<Ports, 'objects' | 'accountOf'>): AppAccounts {
  const known = new Map<Key, string>()
  async function find(app: App): Promise<ServerPilot> {
    const account = await ports.accountOf(app)
    known.set(app.key, account.account)
    return account
  }
  return {
    find,
    async findAll() {
      for (const app of ports.objects.apps()) if (!known.has(app.key)) await find(app).catch(() => undefined)
    },
    of: (key) => known.get(key),
    appsOf: (account) => ports.objects.apps().filter(({ key }) => known.get(key) === account),
    forget: (key) => void known.delete(key),
  }
}
