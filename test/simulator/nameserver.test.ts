import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { test } from 'node:test'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { bench } from './client.ts'

test('answers from the table, and with the server for the names of apps', async (t) => {
  const dns = {
    'both.example': ['203.0.113.9', '2001:db8::17', '::1', '1:2:3:4:5:6:7:8'],
    'gone.example': null,
    'many.example': ['203.0.113.1', '203.0.113.2'],
  }
  const { simulator, write } = await bench(t, { dns, dnsPort: 0 })
  const resolver = new Resolver({ timeout: 500, tries: 2 })
  resolver.setServers([simulator.nameserver!])
  const codeOf = async (job: Promise<unknown>) => job.then(() => 'none').catch((error: { code: string }) => error.code)
  assert.deepEqual(await resolver.resolve4('Network.example'), ['198.51.100.10'])
  assert.equal(await codeOf(resolver.resolve6('network.example')), 'ENODATA')
  assert.deepEqual(await resolver.resolve4('both.example'), ['203.0.113.9'])
  assert.deepEqual(await resolver.resolve6('both.example'), ['2001:db8::17', '::1', '1:2:3:4:5:6:7:8'])
  assert.equal((await resolver.resolve4('many.example')).length, 2)
  assert.equal(await codeOf(resolver.resolve4('gone.example')), 'ENOTFOUND')
  assert.equal(await codeOf(resolver.resolve4('added.example')), 'ENOTFOUND')
  await write(['added.example'])
  assert.deepEqual(await resolver.resolve4('added.example'), ['198.51.100.10'])
})

test('what is no query is left alone', async (t) => {
  const { simulator } = await bench(t, { dnsPort: 0 })
  const port = Number(simulator.nameserver!.split(':')[1])
  const socket = createSocket('udp4')
  t.after(() => socket.close())
  const query = Buffer.from('0001010000010000000000000161076578616d706c650000010001', 'hex')
  for (let length = 0; length < query.length; length++) socket.send(query.subarray(0, length), port, '127.0.0.1')
  const resolver = new Resolver({ timeout: 500, tries: 2 })
  resolver.setServers([simulator.nameserver!])
  assert.deepEqual(await resolver.resolve4('network.example'), ['198.51.100.10'])
})

test('a port that is taken is an error', async (t) => {
  const { simulator } = await bench(t, { dnsPort: 0 })
  const dnsPort = Number(simulator.nameserver!.split(':')[1])
  await assert.rejects(startSimulator({ dnsPort }), /EADDRINUSE/)
  const port = Number(new URL(simulator.url).port)
  await assert.rejects(startSimulator({ listen: { port } }), /EADDRINUSE/)
})
