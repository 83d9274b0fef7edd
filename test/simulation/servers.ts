import { X509Certificate } from 'node:crypto'
import type { Handshake, Shake } from '../../src/check/served.ts'
import { unlessAborted } from '../../src/time/within.ts'
import type { HostsGround } from './hosts.ts'
import type { Life } from './life.ts'

/** What servers show at port 443: the certificates of ServerPilot's apps. */
export interface ServersModel {
  readonly trouble: {
    /** A firewall drops what comes from here. */
    closed: boolean
  }
  /** The server does not reload: it shows what it has, until what this gives is called. */
  stopReloading(): () => void
  connect(life: Life): Shake
}

const SLOW_MS = 80
const LONGEST_MS = 5_000

/** Servers that show what they should. */
export function createServers({ time, serverpilot, random }: HostsGround): ServersModel {
  const trouble: ServersModel['trouble'] = { closed: false }
  let loaded: ReadonlyMap<string, string> | undefined
  const read = createReader()

  const installed = (): ReadonlyMap<string, string> =>
    new Map([...serverpilot.core.world.model.apps].flatMap(([id, { ssl }]) => (ssl?.cert ? [[id, ssl.cert]] : [])))

  function certificateOf(host: string): string | undefined {
    const { apps } = serverpilot.core.world.model
    const app = [...apps.values()].find(({ domains }) => domains.includes(host))
    if (app === undefined) return undefined
    return loaded === undefined ? (app.ssl?.cert ?? undefined) : loaded.get(app.id)
  }

  async function shake(host: string, timeout = LONGEST_MS): Promise<Handshake> {
    await time.wait(trouble.closed ? timeout : random.next() * SLOW_MS)
    if (trouble.closed) return { kind: 'unseen', why: 'Timeout' }
    const pem = certificateOf(host)
    return pem === undefined ? { kind: 'unseen', why: 'HandshakeFailed' } : { kind: 'served', leaf: read(pem) }
  }

  return {
    trouble,
    stopReloading() {
      const mine = installed()
      loaded = mine
      return () => {
        if (loaded === mine) loaded = undefined
      }
    },
    connect:
      (life) =>
      ({ host, timeout, signal = NEVER }) =>
        unlessAborted(signal, () => life.ask(() => shake(host, timeout))),
  }
}

const NEVER = new AbortController().signal

/** Reads certificates, each once: they are the same ones for hours. */
function createReader(): (pem: string) => X509Certificate {
  const known = new Map<string, X509Certificate>()
  return (pem) => {
    const certificate = known.get(pem) ?? new X509Certificate(pem)
    if (known.size > 20) known.clear()
    known.set(pem, certificate)
    return certificate
  }
}
