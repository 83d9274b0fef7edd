import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { objectYaml } from '../controller/world.ts'
import { type Bench, createBench } from './bench.ts'
import { credentialsOf, type LaunchOptions, launch, logOf, type Running, temporaryFolder, until } from './process.ts'

/** Starts a daemon on a bench. */
function run(t: TestContext, bench: Bench, ...more: string[]): Running {
  const args = ['--manifests', bench.folder, '--state-dir', join(bench.root, 'state')]
  const api = ['--serverpilot-url', bench.simulator.url, '--serverpilot-qps', '500']
  return launch(t, ['run', ...args, ...api, '--listen', 'off', ...more], { env: credentialsOf(bench.simulator) })
}

const pageOf = (text: string): string | undefined => /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0]

describe('run', { concurrency: 2 }, () => {
  test('logs go to standard error alone; SIGTERM ends it within 5 s and the folder is free', async (t) => {
    const bench = await createBench(t)
    await bench.map('shop')
    const daemon = run(t, bench, '--listen', '127.0.0.1:0')
    const page = await until('the page', () => pageOf(daemon.stderr()))
    await until('the host', () => bench.listed().includes('shop.example.com'))
    await until('readiness', async () => (await fetch(new URL('/readyz', page))).ok)
    assert.equal((await fetch(new URL('/healthz', page))).status, 200)

    const second = await run(t, bench).ended()
    assert.equal(second.status, 1)
    assert.match(second.stderr, new RegExp(`held by process ${daemon.child.pid} `))
    assert.equal(second.stdout, '')

    daemon.child.kill('SIGTERM')
    const ended = await daemon.ended(5_000)
    assert.equal(ended.status, 0, ended.stderr)
    assert.equal(ended.stdout, '')
    assert.deepEqual(
      logOf(ended.stderr)
        .map((line) => line.msg)
        .filter((msg) => msg === 'Started' || msg === 'Stopped'),
      ['Started', 'Stopped'],
    )
    assert.equal((await bench.command(['apply'])).status, 0)
  })

  test('SIGTERM while an API that does not answer is waited for ends it within 5 s as well', async (t) => {
    const bench = await createBench(t)
    bench.simulator.faults.add({ kind: 'timeoutBefore', path: 'listApps', times: 'always' })
    const daemon = run(t, bench)
    await until('the first call', () => bench.simulator.counts().listApps > 0)
    daemon.child.kill('SIGTERM')
    assert.equal((await daemon.ended(5_000)).status, 0)
  })

  test('a port that is taken is named, and the state folder is given back', async (t) => {
    const bench = await createBench(t)
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    t.after(() => other.close())
    const { port } = other.address() as AddressInfo
    const { status, stderr } = await run(t, bench, '--listen', `127.0.0.1:${port}`).ended()
    assert.equal(status, 1)
    assert.match(stderr, new RegExp(`${port}`))
    assert.match(stderr, /in use|taken|EADDRINUSE/)
    assert.equal((await bench.command(['apply'])).status, 0)
  })

  test('a folder that is not there yet is said, changes nothing, and is read once it is', async (t) => {
    const bench = await createBench(t)
    const later = join(bench.root, 'later')
    const daemon = run(t, { ...bench, folder: later }, '--manifests', bench.folder)
    await until('the word', () => daemon.stderr().includes(later))
    assert.deepEqual(bench.listed(), ['by-hand.example.org'])
    await mkdir(later)
    const mapping = { domain: 'late.example.com', appRef: { name: 'network' } }
    await writeFile(join(later, 'late.yaml'), objectYaml('DomainMapping', 'late', mapping))
    await until('the host', () => bench.listed().includes('late.example.com'))
    daemon.child.kill('SIGTERM')
    assert.equal((await daemon.ended(5_000)).status, 0)
    assert.deepEqual(bench.listed(), ['by-hand.example.org', 'late.example.com'])
  })

  test('colours on a terminal, unless NO_COLOR says otherwise; none in a pipe', async (t) => {
    const bench = await createBench(t)
    await bench.map('shop')
    const env = { ...credentialsOf(bench.simulator), TERM: 'xterm-256color' }
    const start = '\u001b['
    const coloured = async (options: LaunchOptions): Promise<boolean> => {
      const { stdout, stderr } = await bench.command(['plan'], options)
      assert.match(stdout, /shop\.example\.com/)
      return (stdout + stderr).includes(start)
    }
    assert.equal(await coloured({ env }), false)
    if (spawnSync('script', ['--version']).status !== 0) return t.skip('there is no `script` to make a terminal with')
    assert.equal(await coloured({ env, terminal: true }), true)
    assert.equal(await coloured({ env: { ...env, NO_COLOR: '1' }, terminal: true }), false)
  })
})

describe('demo', () => {
  test('prints an address that answers, and SIGINT ends it within 5 s with its folder gone', async (t) => {
    const folder = await temporaryFolder(t)
    const demo = launch(t, ['demo', '--listen', '127.0.0.1:0'], { env: { TMPDIR: folder } })
    const page = await until('the address', () => pageOf(/Status page.*/.exec(demo.stdout())?.[0] ?? ''))
    const answer = await fetch(page)
    assert.equal(answer.status, 200)
    assert.match(await answer.text(), /<html/)
    assert.equal((await readdir(folder)).length, 1)
    demo.child.kill('SIGINT')
    const ended = await demo.ended(5_000)
    assert.equal(ended.status, 0, ended.stderr)
    assert.deepEqual(await readdir(folder), [])
  })
})
