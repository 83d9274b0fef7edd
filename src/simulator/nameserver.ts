/** A DNS server over UDP that answers from the simulated table, so that DNS checks can be tried without a zone of one's own. */
import { createSocket } from 'node:dgram'
import { isIPv4, SocketAddress } from 'node:net'
import type { World } from './state.ts'

/** A name server that runs. */
export interface Nameserver {
  /** `HOST:PORT`, as `dns.Resolver.setServers` takes it. */
  address: string
  stop(): Promise<void>
}

interface Question {
  name: string
  type: number
  /** Where the question ends in the message. */
  end: number
}

const TYPE_A = 1
const TYPE_AAAA = 28
const HEADER = 12

/** Starts one; resolves once it listens, rejects with an Error for a port that is taken. Port 0: a free one. */
export async function startNameserver(world: World, host: string, port: number): Promise<Nameserver> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  socket.on('message', (message, from) => {
    const reply = answerTo(world, message)
    if (reply) socket.send(reply, from.port, from.address)
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.bind(port, host, resolve)
  })
  socket.removeAllListeners('error')
  // What a client does to its own end of a UDP exchange does not end this one.
  socket.on('error', () => {})
  return {
    address: `${host.includes(':') ? `[${host}]` : host}:${socket.address().port}`,
    stop: () => new Promise((resolve) => socket.close(() => resolve())),
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

/** The only question of a query; undefined for anything else. */
function parse(message: Buffer): Question | undefined {
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
  const [left = '', right = ''] = new SocketAddress({ address, family: 'ipv6' }).address.split('::')
  const [first, last] = [groups(left), groups(right)]
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => '0')
  const words = [...first, ...zeros, ...last].map((group) => Number.parseInt(group, 16))
  return Uint8Array.from(words.flatMap((word) => [word >> 8, word & 255]))
}
