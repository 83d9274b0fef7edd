import type { Host } from '../../domain/host.ts'
import type { SslOutcome } from '../../status/outcome.ts'

/** The last look at AutoSSL and ForceSSL. */
export interface SslMemory {
  outcome: SslOutcome
  /** Looks in a row that came to the same. */
  looks: number
  /** When; epoch ms. */
  at: number
  /** Not before this is it looked at again, unless something changed; epoch ms. */
  lookAt: number
  /** What it was found on: digest of the hosts, those whose DNS was wrong, the request on the object, and what the list said of SSL. */
  grounds: { hosts: string; wrong: Host[]; requested: string | undefined; ssl: string }
}
