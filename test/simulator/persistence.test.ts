import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import { bench } from './client.ts'

function stateFileFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'simulator-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'deeper', 'state.json')
}

test('the state survives a restart: domains, certificates, actions, DNS, clock, key', async (t) => {
  const stateFile = stateFileFor(t)
  const first = await bench(t, { stateFile, actionDuration: 60_000, issuance: { delay: 0 } })
  const actionid = (await first.write(['a.example', 'b.example'])).body.actionid
  await first.ssl({ auto: true })
  first.simulator.state.setDns({ 'a.example': null })
  first.simulator.state.advance(1000)
  first.simulator.state.rotateKey('rotated')
  const before = first.simulator.state.apps
  await first.simulator.stop()

  const second = await bench(t, { stateFile, apps: [{ name: 'ignored' }] })
  assert.equal(second.simulator.apiKey, 'rotated')
  assert.deepEqual(second.simulator.state.apps, before)
  assert.equal((await second.call('GET', `/actions/${actionid}`)).status, 200)
  assert.equal((await second.app()).autossl!.available, false)
  assert.ok(second.simulator.state.now() >= Date.now() + 900)
})

test('only the owner may read the file', async (t) => {
  const stateFile = stateFileFor(t)
  await bench(t, { stateFile })
  assert.equal(statSync(stateFile).mode & 0o777, 0o600)
})

test('a file that is no state is an error that names it', async (t) => {
  const stateFile = stateFileFor(t)
  const { simulator } = await bench(t, { stateFile })
  await simulator.stop()
  for (const text of ['', '{', '{"version": 99}', 'null', '[]']) {
    writeFileSync(stateFile, text)
    await assert.rejects(startSimulator({ stateFile }), /simulator state .*state\.json/)
  }
  await assert.rejects(startSimulator({ stateFile: tmpdir() }), /cannot be read/)
})

test('a state that cannot be written answers 500 instead of hanging', async (t) => {
  const stateFile = stateFileFor(t)
  const { write } = await bench(t, { stateFile })
  rmSync(join(stateFile, '..'), { recursive: true })
  writeFileSync(join(stateFile, '..'), '')
  assert.equal((await write(['a.example'])).status, 500)
})

test('what was answered before a kill -9 is there after it', async (t) => {
  const stateFile = stateFileFor(t)
  const child = fork(join(import.meta.dirname, 'process.ts'), [stateFile])
  t.after(() => child.kill('SIGKILL'))
  const running = await new Promise<Pick<Simulator, 'url' | 'clientId' | 'apiKey' | 'apps'>>((resolve) => {
    child.once('message', (message) => resolve(message as Simulator))
  })
  const headers = {
    authorization: `Basic ${btoa(`${running.clientId}:${running.apiKey}`)}`,
    'content-type': 'application/json',
  }
  const answered: number[] = []
  const write = async (n: number) => {
    const body = JSON.stringify({ domains: [`n${n}.example`] })
    const response = await fetch(`${running.url}/apps/${running.apps[0]}`, { method: 'POST', headers, body })
    if (response.ok) answered.push(n)
  }
  const gone = new Promise((resolve) => child.once('exit', resolve))
  let n = 0
  for (; n < 10; n++) await write(n)
  const last = write(n)
  child.kill('SIGKILL')
  await Promise.allSettled([last, gone])
  const { simulator } = await bench(t, { stateFile })
  const [domain] = simulator.state.app(running.apps[0]!).domains
  const latest = answered.at(-1)!
  assert.ok(domain === `n${latest}.example` || domain === `n${latest + 1}.example`, `${domain} after ${latest}`)
  assert.ok(JSON.parse(readFileSync(stateFile, 'utf8')).version)
})
