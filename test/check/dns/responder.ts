import { createSocket, type RemoteInfo } from 'node:dgram'
import { once } from 'node:events'

/** What a test context has to offer: `TestContext` of node:test does. */
interface Context {
  after(work: () => Promise<void>): void
}

/** One question as it came in. */
export interface Query {
  /** In lower case. */
  name: string
  /** 1 A, 28 AAAA, 2 NS, 5 CNAME, 257 CAA. */
  type: number
}

/**
 * How to answer: with IPv4 addresses or none, with an error code of DNS, with silence, or as no sound server would. `WrongId` and
 * `OtherName` are what a forger sends; `Cut` ends in the middle of a record.
 */
export type Reply = readonly string[] | 'NoName' | 'ServFail' | 'Refused' | 'Silence' | 'WrongId' | 'OtherName' | 'Cut'

/** A DNS server for what a real one would not do. */
export interface Responder {
  /** As `--dns-servers` takes it. */
  address: string
  /** Every question so far, in order. */
  queries: Query[]
  stop(): void
}

const CODES = { NoName: 3, ServFail: 2, Refused: 5 } as const

/** Answers over UDP on loopback, as `reply` says for each question. Ends with the test. */
export async function responder(t: Context, reply: (query: Query) => Reply): Promise<Responder> {
  const socket = createSocket('udp4')
  const queries: Query[] = []
  let open = true
  socket.on('message', (message: Buffer, from: RemoteInfo) => {
    const { query, end } = parse(message)
    queries.push(query)
    const answer = encode(message, end, query, reply(query))
    if (answer !== undefined && open) socket.send(answer, from.port, from.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const stop = () => {
    if (open) socket.close()
    open = false
  }
  t.after(async () => stop())
  return { address: `127.0.0.1:${socket.address().port}`, queries, stop }
}

function parse(message: Buffer): { query: Query; end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += length + 1
  }
  return { query: { name: labels.join('.').toLowerCase(), type: message.readUInt16BE(at + 1) }, end: at + 5 }
}

function encode(message: Buffer, end: number, { type }: Query, reply: Reply): Buffer | undefined {
  if (reply === 'Silence') return undefined
  const code = typeof reply === 'string' && reply in CODES ? CODES[reply as keyof typeof CODES] : 0
  const records =
    typeof reply !== 'string' && type === 1 ? reply : code === 0 && typeof reply === 'string' ? ['192.0.2.66'] : []
  const header = Buffer.alloc(12)
  header.writeUInt16BE(message.readUInt16BE(0) ^ (reply === 'WrongId' ? 0xffff : 0), 0)
  header.writeUInt16BE(0x8180 + code, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(records.length, 6)
  const question = Buffer.from(message.subarray(12, end))
  if (reply === 'OtherName') question[1] = (question[1] ?? 0) ^ 1
  const body = Buffer.concat([header, question, ...records.map(encodeAddress)])
  return reply === 'Cut' ? body.subarray(0, -7) : body
}

/** An A record of the name in question that holds for a minute. */
function encodeAddress(address: string): Buffer {
  return Buffer.concat([
    Buffer.from('c00c000100010000003c0004', 'hex'),
    Uint8Array.from(address.split('.').map(Number)),
  ])
}
