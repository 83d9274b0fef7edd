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
  /** Gives the server another statement than the client sent. */
  rewrite: ((statement: string) => string) | undefined
  /** Takes statements for the same for which this gives the same text, and answers all but the first from memory; not where it gives undefined. */
  cacheKey: ((statement: string) => string | undefined) | undefined
  /** How many statements were answered from memory. */
  cached: number
  /** Bytes of the server's answer on the last connection. */
  answered: number
  /** Of the server's answer on the last connection: how many bytes had come after each piece. */
  pieces: number[]
  close(): Promise<void>
}

export async function startProxy(port: number): Promise<FaultyProxy> {
  const open = new Set<Socket>()
  const memory = new Map<string, Buffer[]>()
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
    rewrite: undefined,
    cacheKey: undefined,
    cached: 0,
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
    /** Where the answer to the statement under way is kept. */
    let keep: Buffer[] | undefined
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
      const key = keyOf(data, proxy)
      const answer = key === undefined ? undefined : memory.get(key)
      if (answer !== undefined) {
        proxy.cached++
        client.write(Buffer.concat(answer))
        return
      }
      keep = key === undefined ? undefined : []
      if (key !== undefined && keep !== undefined) memory.set(key, keep)
      const before = proxy.beforeStatement?.(data.toString('latin1'))
      const passed = rewritten(data, proxy)
      if (before === undefined) server.write(passed)
      else void before.then(() => server.write(passed))
    })
    server.on('data', (data) => {
      if (proxy.silent) return
      keep?.push(data)
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

const COM_QUERY = 3

/** Where the text of a statement begins in its packet: MySQL has two bytes about attributes before it. Undefined: no statement. */
function textAt(packet: Buffer): number | undefined {
  if (packet[4] !== COM_QUERY || packet[3] !== 0) return undefined
  return packet[5] === 0 && packet[6] === 1 ? 7 : 5
}

function statementOf(packet: Buffer): string | undefined {
  const at = textAt(packet)
  return at === undefined ? undefined : packet.toString('utf8', at)
}

const keyOf = (packet: Buffer, { cacheKey }: FaultyProxy): string | undefined => {
  const statement = cacheKey === undefined ? undefined : statementOf(packet)
  return statement === undefined ? undefined : cacheKey?.(statement)
}

function rewritten(packet: Buffer, { rewrite }: FaultyProxy): Buffer {
  const statement = statementOf(packet)
  if (rewrite === undefined || statement === undefined) return packet
  const body = Buffer.concat([packet.subarray(4, textAt(packet)), Buffer.from(rewrite(statement))])
  const head = Buffer.alloc(4)
  head.writeUIntLE(body.length, 0, 3)
  return Buffer.concat([head, body])
}

const portOf = (listener: Server): number => (listener.address() as { port: number }).port
