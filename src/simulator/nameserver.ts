/** A DNS server over UDP that answers from the simulated table, so that DNS checks can be tried without a zone of one's own. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv4, SocketAddress } from 'node:net'
import type { World } from './state.ts'

const TYPE_A = 1
const TYPE_AAAA = 28
const HEADER = 12

/** Starts one; resolves once it listens, rejects with an Error for a port that is taken. Port 0: a free one. */
export async function startNameserver(world: World, host: string, port: number) {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  socket.on('message', (message, from) => {
    const reply = answerTo(world, message)
    if (reply) socket.send(reply, from.port, from.address)
  })
  socket.bind(port, host)
  await once(socket, 'listening')
  // What a client does to its own end of a UDP exchange does not end this one.
  socket.on('error', () => {})
  return {
    /** `HOST:PORT`, as `dns.Resolver.setServers` takes it. */
    address: `${host.includes(':') ? `[${host}]` : host}:${socket.address().port}`,
    stop: () => new Promise<void>((resolve) => socket.close(() => resolve())),
  }
}

/** Where a name resolves to: what the table says, else the server of an app that has the name; undefined: no such name. */
function addressesOf(world: World, name: string): string[] | undefined {
  const { model } = world
  for (const each of [name, ...wildcardsOver(name)]) {
    const record = model.dns.get(each)
    if (record) return record.addresses.length > 0 ? record.addresses : undefined
    for (const app of model.apps.values()) {
      const address = model.servers.get(app.serverid)?.lastaddress
      if (address && app.domains.some((domain) => domain.toLowerCase() === each)) return [address]
    }
  }
  return undefined
}

/** The wildcards that a name falls under, the nearest first. */
function wildcardsOver(name: string): string[] {
  const labels = name.split('.')
  return labels.slice(1).map((_, from) => ['*', ...labels.slice(from + 1)].join('.'))
}

function answerTo(world: World, message: Buffer): Buffer | undefined {
  const question = parse(message)
  if (!question) return undefined
  const addresses = addressesOf(world, question.name)
  const wanted = (addresses ?? []).filter((address) => question.type === (isIPv4(address) ? TYPE_A : TYPE_AAAA))
  const header = Buffer.alloc(HEADER)
  header.writeUInt16BE(message.readUInt16BE(0), 0)
  // An authoritative answer with recursion, as asked for; 3: no such name.
  header.writeUInt16BE(0x8580 + (addresses ? 0 : 3), 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(wanted.length, 6)
  return Buffer.concat([header, message.subarray(HEADER, question.end), ...wanted.map(resourceRecord)])
}

/** The only question of a query, and where it ends in the message; undefined for anything else. */
function parse(message: Buffer): { name: string; type: number; end: number } | undefined {
  if (message.length < HEADER || message[2]! >= 128 || message.readUInt16BE(4) !== 1) return undefined
  const labels: string[] = []
  let at = HEADER
  for (;;) {
    const length = message[at]
    if (length === undefined || length > 63 || at + length + 5 > message.length) return undefined
    at += 1
    if (length === 0) break
    labels.push(message.toString('latin1', at, at + length))
    at += length
  }
  return { name: labels.join('.').toLowerCase(), type: message.readUInt16BE(at), end: at + 4 }
}

/** Points back at the name of the question; class Internet; may be kept for no time, since the table can change. */
function resourceRecord(address: string): Buffer {
  const bytes = isIPv4(address) ? Uint8Array.from(address.split('.').map(Number)) : ipv6Bytes(address)
  const head = Buffer.alloc(HEADER)
  head.writeUInt16BE(0xc000 + HEADER, 0)
  head.writeUInt16BE(bytes.length === 4 ? TYPE_A : TYPE_AAAA, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(bytes.length, 10)
  return Buffer.concat([head, bytes])
}

function ipv6Bytes(address: string): Uint8Array {
  const groups = (text: string) => text.split(':').filter((group) => group !== '')
  const normal = new SocketAddress({ address, family: 'ipv6' }).address
  const whole = normal.replace('::', `:${'0:'.repeat(8 - groups(normal).length)}`)
  const words = groups(whole).map((group) => Number.parseInt(group, 16))
  return Uint8Array.from(words.flatMap((word) => [word >> 8, word & 255]))
}
