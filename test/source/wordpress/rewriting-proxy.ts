import { once } from 'node:events'
import { createServer, connect as dial, type Server, type Socket } from 'node:net'

/** A proxy that changes statements on their way to the server, as one does that caps, recodes or answers from memory. */
export interface RewritingProxy {
  port: number
  /** What becomes of each statement. */
  rewrite: (sql: string) => string
}

/** COM_QUERY of the protocol: a packet of the client that begins a conversation and has this byte first. */
const QUERY = 3
const HEADER = 4

/** Starts one before the server at that port of 127.0.0.1. Ends with the test. */
export async function startRewriting(
  t: { after(end: () => Promise<void>): void },
  port: number,
): Promise<RewritingProxy> {
  const open = new Set<Socket>()
  const listener: Server = createServer((client) => serve(client))
  const proxy: RewritingProxy = { port: 0, rewrite: (sql) => sql }

  function changed(packet: Buffer): Buffer {
    if (packet[3] !== 0 || packet[HEADER] !== QUERY) return packet
    const sql = Buffer.from(proxy.rewrite(packet.subarray(HEADER + 1).toString()))
    const header = Buffer.alloc(HEADER + 1)
    header.writeUIntLE(sql.length + 1, 0, 3)
    header[HEADER] = QUERY
    return Buffer.concat([header, sql])
  }

  function serve(client: Socket): void {
    const server = dial(port, '127.0.0.1')
    for (const socket of [client, server]) {
      open.add(socket)
      socket.on('error', () => undefined).on('close', () => [client, server].forEach((each) => void each.destroy()))
    }
    server.pipe(client)
    let rest = Buffer.alloc(0)
    client.on('data', (piece: Buffer) => {
      rest = Buffer.concat([rest, piece])
      while (rest.length >= HEADER && rest.length >= HEADER + rest.readUIntLE(0, 3)) {
        const end = HEADER + rest.readUIntLE(0, 3)
        server.write(changed(rest.subarray(0, end)))
        rest = rest.subarray(end)
      }
    })
  }

  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  proxy.port = (listener.address() as { port: number }).port
  t.after(async () => {
    for (const socket of open) socket.destroy()
    await new Promise((resolve) => listener.close(resolve))
  })
  return proxy
}
