import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { type Clock, systemClock } from '../time/clock.ts'
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
  clock?: Pick<Clock, 'after'>
}

/** Why no certificate was seen. It says nothing of certificates: a firewall may stand between here and the server. */
export type Unseen = 'Refused' | 'Reset' | 'Timeout' | 'Unreachable' | 'HandshakeFailed' | 'NoCertificate'

/** What the server delivered: its own certificate first, then the chain, in order. */
export type Handshake = { kind: 'served'; chain: readonly X509Certificate[] } | { kind: 'unseen'; why: Unseen }

/** Longer chains are cut. */
const MAX_CHAIN = 10

/**
 * Shakes hands and hangs up: gives the certificates that a server delivers for a name. Sends no data and verifies nothing.
 * Rejects only with the signal's reason.
 */
export async function handshake(options: HandshakeOptions): Promise<Handshake> {
  const { address, port = 443, host, timeout = 5000, signal, clock = systemClock } = options
  signal?.throwIfAborted()
  const name = host.startsWith('*.') ? `wildcard${host.slice(1)}` : host
  const socket = connect({
    host: address,
    port,
    // It is `judgeServed` that judges; without authorities of its own a connection costs less.
    ca: '',
    rejectUnauthorized: false,
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
      if (leaf === undefined) unseen('NoCertificate')
      else resolve({ kind: 'served', chain: chainOf(leaf) })
    })
    // Stays on: what happens to the connection after the result is of no interest.
    socket.on('error', (error) => unseen(whyOf(error)))
    socket.once('close', () => {
      signal?.removeEventListener('abort', abort)
      unseen('Reset')
    })
  })
}

function chainOf(leaf: X509Certificate): X509Certificate[] {
  const chain: X509Certificate[] = []
  for (let next: X509Certificate | undefined = leaf; next && chain.length < MAX_CHAIN; next = next.issuerCertificate) {
    chain.push(next)
  }
  return chain
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
