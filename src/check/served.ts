import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import type { Clock } from '../time/clock.ts'
import { within } from '../time/within.ts'

/** Where and how to shake hands. */
export interface HandshakeOptions {
  /** IP address of the server: DNS has no say in this. */
  address: string
  port?: number
  /** The name to ask for (SNI). A wildcard is asked for by a name below it. */
  host: string
  /** Milliseconds for the connection and the handshake together. */
  timeout?: number
  signal?: AbortSignal
  /** PEM of the authorities that are trusted; those that come with Node when not given. */
  ca?: string
}

/** Why no certificate was seen. It says nothing of certificates: a firewall may stand between here and the server. */
export type Unseen = 'Refused' | 'Reset' | 'Timeout' | 'Unreachable' | 'HandshakeFailed' | 'NoCertificate'

/** The certificate that the server delivered, and OpenSSL's code for why it is not trusted: names are not looked at. */
export type Handshake = { kind: 'served'; leaf: X509Certificate; distrust?: string } | { kind: 'unseen'; why: Unseen }

/**
 * Shakes hands and hangs up: gives the certificate that a server delivers for a name. Sends no data. Rejects only with the signal's
 * reason.
 */
export type Shake = (options: HandshakeOptions) => Promise<Handshake>

/** Shakes hands over the network; `clock` says when that takes too long. */
export async function handshake(options: HandshakeOptions, clock: Pick<Clock, 'after'>): Promise<Handshake> {
  const { address, port = 443, host, timeout = 5000, signal, ca } = options
  signal?.throwIfAborted()
  const name = host.startsWith('*.') ? `wildcard${host.slice(1)}` : host
  const socket = connect({
    host: address,
    port,
    // It is `judgeServed` that judges, names too.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ...(ca === undefined ? {} : { ca }),
    // An address has no SNI.
    ...(isIP(name) === 0 ? { servername: name } : {}),
  })
  try {
    return await within(clock, timeout, outcome(socket, signal), () => ({ kind: 'unseen', why: 'Timeout' }))
  } finally {
    socket.destroy()
  }
}

function outcome(socket: TLSSocket, signal: AbortSignal | undefined): Promise<Handshake> {
  return new Promise<Handshake>((resolve, reject) => {
    const unseen = (why: Unseen) => resolve({ kind: 'unseen', why })
    const abort = () => reject(signal?.reason)
    signal?.addEventListener('abort', abort, { once: true })
    socket.once('secureConnect', () => {
      const leaf = socket.getPeerX509Certificate()
      // Its type says Error, and what is there is the code.
      const distrust = socket.authorized ? {} : { distrust: String(socket.authorizationError) }
      if (leaf === undefined) unseen('NoCertificate')
      else resolve({ kind: 'served', leaf, ...distrust })
    })
    // Stays on: what happens to the connection after the result is of no interest.
    socket.on('error', (error) => unseen(whyOf(error)))
    socket.once('close', () => {
      signal?.removeEventListener('abort', abort)
      unseen('Reset')
    })
  })
}

const CODES: Readonly<Record<string, Unseen>> = {
  ECONNREFUSED: 'Refused',
  ECONNRESET: 'Reset',
  EPIPE: 'Reset',
  ETIMEDOUT: 'Timeout',
}

function whyOf(error: Error): Unseen {
  const code = 'code' in error ? String(error.code) : ''
  if (code.startsWith('ERR_SSL') || code === 'EPROTO') return 'HandshakeFailed'
  return CODES[code] ?? 'Unreachable'
}
