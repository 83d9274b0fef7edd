import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test } from 'node:test'
import { until } from '../e2e/process.ts'
import { startClockedDaemon } from './clocked-daemon.ts'

/** The status of an answer to a request that names this host. */
const askedAs = (url: string, host: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    request(url, { headers: { host } }, (answer) => resolve(answer.resume().statusCode))
      .on('error', reject)
      .end()
  })

test('page-behind-a-proxy: a daemon answers to the names of --allowed-hosts', async (t) => {
  const { page } = await startClockedDaemon(t, '* * * * *', undefined, { allowedHosts: ['status.example.com'] })
  assert.equal(await askedAs(page, 'status.example.com'), 200)
  assert.equal(await askedAs(page, 'other.example.com'), 421)
})

test('the page of a daemon shows what changed since it was asked for last', async (t) => {
  const { clock, ask, putBeside } = await startClockedDaemon(t, '* * * * *')
  assert.match(await ask('/'), /a\.example\.com/)
  putBeside('foreign.example.org')
  await until('the page shows the host that is not ours', async () => {
    clock.advance(1_000)
    return (await ask('/?state=aside')).includes('foreign.example.org')
  })
})
