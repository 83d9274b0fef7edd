/** Where a database listens, as WordPress reads `DB_HOST` (wpdb::parse_db_host). */
export interface DbHost {
  /** Name or address, without brackets. */
  host: string
  port?: number
  /** Path of a Unix socket. */
  socket?: string
}

/**
 * Reads `DB_HOST` with WordPress's own patterns: `localhost`, `db:3307`, `db:/run/mysqld.sock`, `:/run/mysqld.sock`, `[::1]:3306`,
 * `::1`. Their end is open: what stands behind host and port says nothing. Undefined for what WordPress could not connect to either.
 */
export function parseDbHost(text: string): DbHost | undefined {
  const [, address = '', socket] = /^(.*?)(?::(\/.*))?$/s.exec(text.trim()) ?? []
  const isIpv6 = address.split(':').length > 2
  const form = isIpv6 ? /^\[?([0-9a-fA-F:]+)(?:\]:(\d+))?/ : /^([^:/]*)(?::(\d+))?/
  const [whole, host, digits] = form.exec(address) ?? []
  const port = Number(digits ?? 0)
  if (whole === undefined || socket?.startsWith('//') || port > 65_535) return undefined
  return { host: host || 'localhost', ...(port > 0 ? { port } : {}), ...(socket ? { socket } : {}) }
}

/** Sockets that Linux distributions use. */
const SOCKETS = [
  '/var/run/mysqld/mysqld.sock',
  '/run/mysqld/mysqld.sock',
  '/var/lib/mysql/mysql.sock',
  '/tmp/mysql.sock',
]

/**
 * Where to connect to, as PHP does it: `localhost` means a socket, also where a port is named; any other host means TCP, also where a
 * socket is named. PHP has a path built in; here the usual ones are looked for, and the loopback address is taken when none is there.
 * `exists`: whether a path does.
 */
export function endpointOf({ host, port, socket }: DbHost, exists: (path: string) => boolean): DbHost {
  const withPort = port === undefined ? {} : { port }
  if (host.toLowerCase() !== 'localhost') return { host, ...withPort }
  const found = socket ?? SOCKETS.find(exists)
  return found === undefined ? { host: '127.0.0.1', ...withPort } : { host, socket: found }
}
