import { once } from 'node:events'
import { createServer, connect as dial, type Server, type Socket } from 'node:net'

/** A TCP proxy in front of a server, which breaks connections as it is told. */
export interface FaultyProxy {
  port: number
  /** Lets this many bytes of the server's answer through on each new connection, then ends it; undefined: all. */
  cutAfter: number | undefined
  /** Ends with a reset instead of a goodbye. */
  reset: boolean
  /** Lets nothing more through, and says nothing. */
  silent: boolean
  /** Takes no more from the server after this many bytes, as a client does that is too slow, until it is undefined again. */
  holdAfter: number | undefined
  /** Ends a connection when the client sends a text with this in it, before the server gets it. */
  cutBefore: string | undefined
  /** Called with what the client sends, before the server gets it. */
  beforeStatement: ((statement: string) => Promise<void>) | undefined
  /** Bytes of the server's answer on the last connection. */
  answered: number
  /** Of the server's answer on the last connection: how many bytes had come after each piece. */
  pieces: number[]
  close(): Promise<void>
}

export async function startProxy(port: number): Promise<FaultyProxy> {
  const open = new Set<Socket>()
  const listener = createServer((client) => serve(client))
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const proxy: FaultyProxy = {
    port: portOf(listener),
    cutAfter: undefined,
    reset: false,
    silent: false,
    holdAfter: undefined,
    cutBefore: undefined,
    beforeStatement: undefined,
    answered: 0,
    pieces: [],
    async close() {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => listener.close(resolve))
    },
  }

  function hold(server: Socket): void {
    server.pause()
    const timer = setInterval(() => {
      if (proxy.holdAfter !== undefined && !server.destroyed) return
      clearInterval(timer)
      server.resume()
    }, 5)
  }

  function serve(client: Socket): void {
    const server = dial(port, '127.0.0.1')
    let sent = 0
    const { cutAfter = Number.POSITIVE_INFINITY } = proxy
    proxy.answered = 0
    proxy.pieces = []
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      open.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        open.delete(socket)
        other.destroy()
      })
    }
    const cut = (): void => {
      if (proxy.reset) client.resetAndDestroy()
      else client.end()
      server.destroy()
    }
    if (cutAfter === 0) {
      cut()
      return
    }
    client.on('data', (data) => {
      if (proxy.silent) return
      if (proxy.cutBefore !== undefined && data.includes(proxy.cutBefore)) return cut()
      const before = proxy.beforeStatement?.(data.toString('latin1'))
      if (before === undefined) server.write(data)
      else void before.then(() => server.write(data))
    })
    server.on('data', (data) => {
      if (proxy.silent) return
      const left = cutAfter - sent
      client.write(data.subarray(0, left))
      sent += data.length
      proxy.answered += data.length
      proxy.pieces.push(proxy.answered)
      if (data.length >= left) cut()
      else if (sent >= (proxy.holdAfter ?? Number.POSITIVE_INFINITY)) hold(server)
    })
  }
  return proxy
}

const portOf = (listener: Server): number => (listener.address() as { port: number }).port
