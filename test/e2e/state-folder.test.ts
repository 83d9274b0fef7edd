import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { recordFile } from '../../src/ownership/file-store.ts'
import { objectYaml } from '../controller/world.ts'
import { createBench } from './bench.ts'
import { credentialsOf, launch, type Running } from './process.ts'

const run = promisify(execFile)

/** An app with one mapping, and the way to start a command on a state folder. */
async function createWorld(t: TestContext) {
  const bench = await createBench(t, [])
  const spec = { appId: bench.appId, www: 'Never', ssl: { auto: false } }
  await writeFile(join(bench.folder, 'network.yaml'), objectYaml('ServerPilotApp', 'network', spec))
  await bench.map('shop')
  const state = join(bench.root, 'state')
  const start = (command: string, folder = state): Running => {
    const page = command === 'run' ? ['--listen', 'off'] : []
    const files = ['--manifests', bench.folder, '--state-dir', folder, ...page]
    return launch(t, [command, ...files, '--serverpilot-url', bench.simulator.url], {
      env: credentialsOf(bench.simulator),
    })
  }
  return { bench, state, start }
}

for (const command of ['apply', 'run']) {
  test(`a-state-folder-that-cannot-be: ${command} ends with the cause and the cure`, async (t) => {
    const { bench, state, start } = await createWorld(t)
    const nowhere = await start(command, '/proc/nosuch').ended()
    assert.equal(nowhere.status, 1, nowhere.stderr)
    assert.match(
      nowhere.stderr,
      /The state folder \/proc\/nosuch cannot be used \(ENOENT.*make it a folder that this user may write/,
    )

    assert.equal((await start('apply').ended()).status, 0)
    const lock = join(state, 'lock.999999999999999')
    await writeFile(lock, '')
    await utimes(lock, 0, 0)
    const unlockable = await start(command).ended()
    assert.equal(unlockable.status, 1, unlockable.stderr)
    assert.match(unlockable.stderr, /cannot be locked: .*Delete lock\.\* there/)
    assert.deepEqual(bench.listed(), ['shop.example.com'])
  })
}

test('a-state-folder-that-cannot-be: apply on a record that is a pipe', async (t) => {
  const { bench, state, start } = await createWorld(t)
  await run('mkdir', [state])
  await run('mkfifo', [join(state, recordFile(bench.simulator.clientId, bench.appId))])
  const { status, stdout, stderr } = await start('apply').ended()
  assert.equal(status, 1, stderr)
  assert.match(`${stdout}${stderr}`, /RecordCorrupt: The ownership record .* is not a file, but a pipe/)
  assert.deepEqual(bench.listed(), [])
  assert.deepEqual(
    (await readdir(state)).filter((name) => name.endsWith('.tmp')),
    [],
  )
})
