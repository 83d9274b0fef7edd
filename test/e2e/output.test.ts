import assert from 'node:assert/strict'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { type Bench, createBench } from './bench.ts'
import { credentialsOf, launch, shell, until } from './process.ts'

const LOST = /^The result cannot be written to standard output \((ENOSPC|EFBIG)\)\. .+\n$/m

/** Runs a command, written for a shell as `$D …`, on a bench. */
const inShell = (t: TestContext, bench: Bench, script: string) =>
  shell(t, script, {
    cwd: bench.root,
    env: {
      ...{ ...credentialsOf(bench.simulator), DOMAINPILOT_MANIFESTS: bench.folder },
      ...{ DOMAINPILOT_STATE_DIR: join(bench.root, 'state'), DOMAINPILOT_SERVERPILOT_URL: bench.simulator.url },
    },
  })

describe('output-that-cannot-be-written', { concurrency: 2 }, () => {
  const commands = ['plan', 'plan -o json', 'apply', 'check', 'status', 'status -o json', 'import', 'validate domains']
  for (const command of [...commands, 'explain shop.example.com', 'crds', 'completion bash', '--help', '--version'])
    test(`${command} > /dev/full exits with 1 and says so`, async (t) => {
      const bench = await createBench(t)
      await bench.map('shop')
      const { status, stderr } = await inShell(t, bench, `$D ${command} >/dev/full`)
      assert.match(stderr, LOST)
      assert.equal(status, 1)
      // What apply had to do it has done: the list is no worse for a result that nobody could read.
      if (command === 'apply') assert.deepEqual(bench.listed(), ['by-hand.example.org', 'shop.example.com'])
    })

  test('a disk that takes a part and no more: the rest is missed', async (t) => {
    const bench = await createBench(t)
    // The limit of a file's size stands for the disk: the first write is cut short without an error.
    const { status, stderr } = await inShell(t, bench, `trap '' XFSZ; ulimit -f 4; $D crds >crds.yaml`)
    assert.match(stderr, LOST)
    assert.equal(status, 1)
    assert.ok((await readFile(join(bench.root, 'crds.yaml'))).length > 0)
  })

  test('a reader that had enough: nothing is said, and what is under way ends well', async (t) => {
    const bench = await createBench(t)
    for (let n = 0; n < 40; n++) await bench.map(`h${n}`)
    for (const command of ['crds', 'plan', 'apply']) {
      const { status, stderr } = await inShell(t, bench, `set -o pipefail; $D ${command} | true`)
      assert.equal(stderr, '', command)
      assert.equal(status, 0, command)
    }
    assert.equal(bench.listed().length, 41)
  })

  test('an exit status that says something goes on saying it when the reader had enough', async (t) => {
    const bench = await createBench(t)
    await bench.map('shop')
    assert.equal((await inShell(t, bench, 'set -o pipefail; $D plan --exit-code | true')).status, 2)
  })

  test('standard error full as well: exit status 1, and no crash', async (t) => {
    const bench = await createBench(t)
    await bench.map('shop')
    assert.equal((await inShell(t, bench, '$D apply >/dev/full 2>/dev/full')).status, 1)
    assert.equal((await inShell(t, bench, '$D apply 2>/dev/full')).status, 0)
    assert.deepEqual(bench.listed(), ['by-hand.example.org', 'shop.example.com'])
  })
})

describe('stderr gone', { concurrency: 2 }, () => {
  const args = (bench: Bench) => [
    ...['run', '--manifests', bench.folder, '--state-dir', join(bench.root, 'state'), '--listen', 'off'],
    ...['--serverpilot-url', bench.simulator.url, '--serverpilot-qps', '500', '--log-level', 'debug'],
  ]

  test('whoever read the log has gone: the daemon works on', async (t) => {
    const bench = await createBench(t)
    const daemon = launch(t, args(bench), { env: credentialsOf(bench.simulator) })
    await until('the start', () => daemon.stderr().includes('"Started"'))
    daemon.child.stderr?.destroy()
    for (const name of ['shop', 'blog']) {
      await bench.map(name)
      await until(name, () => bench.listed().includes(`${name}.example.com`))
    }
    daemon.child.kill('SIGTERM')
    assert.equal((await daemon.ended()).status, 0)
  })

  test('the disk of the log is full: the daemon works on', async (t) => {
    const bench = await createBench(t)
    await bench.map('shop')
    const full = openSync('/dev/full', 'w')
    const daemon = launch(t, args(bench), { env: credentialsOf(bench.simulator), stderr: full })
    closeSync(full)
    await until('the host', () => bench.listed().includes('shop.example.com'))
    daemon.child.kill('SIGTERM')
    assert.equal((await daemon.ended()).status, 0)
  })
})
