import { createSocket } from 'node:dgram'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** Something on the loopback that takes what comes, and never answers. */
export interface SilentPeer {
  /** `127.0.0.1:port`. */
  address: string
  /** Connections or datagrams so far. */
  calls(): number
}

/** A TCP port that takes connections. */
export async function silentTcp(t: TestContext): Promise<SilentPeer> {
  const sockets = new Set<Socket>()
  let calls = 0
  const server = createServer((socket) => {
    calls++
    sockets.add(socket.on('error', () => undefined))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, calls: () => calls }
}

/** A UDP port that takes datagrams. */
export async function silentUdp(t: TestContext): Promise<SilentPeer> {
  const socket = createSocket('udp4')
  let calls = 0
  socket.on('message', () => calls++)
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  t.after(() => socket.close())
  return { address: `127.0.0.1:${socket.address().port}`, calls: () => calls }
}
