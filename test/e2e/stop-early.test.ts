import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { objectYaml } from '../controller/world.ts'
import { createBench } from './bench.ts'
import { credentialsOf, type Ended, launch, logOf, temporaryFolder } from './process.ts'

/** `run` on a bench with so many files; SIGTERM so long after it has said that it started. */
async function stopped(t: TestContext, files: number, after: number): Promise<{ ended: Ended; ms: number }> {
  const bench = await createBench(t)
  const more = await temporaryFolder(t)
  for (let n = 0; n < files; n++) {
    const mapping = { domain: `h${n}.example.com`, appRef: { name: 'network' } }
    await writeFile(join(more, `${n}.yaml`), objectYaml('DomainMapping', `h${n}`, mapping))
  }
  const folders = ['--manifests', bench.folder, '--manifests', more, '--state-dir', join(bench.root, 'state')]
  const rest = ['--serverpilot-url', bench.simulator.url, '--listen', 'off']
  const daemon = launch(t, ['run', ...folders, ...rest], { env: credentialsOf(bench.simulator) })
  await new Promise<void>((resolve) =>
    daemon.child.stderr?.on('data', () => daemon.stderr().includes('"Started"') && resolve()),
  )
  await pause(after)
  const from = performance.now()
  daemon.child.kill('SIGTERM')
  const ended = await daemon.ended(5_000)
  return { ended, ms: performance.now() - from }
}

describe('stop-during-the-first-read', () => {
  for (const [files, after] of [
    [5, 0],
    [5, 20],
    [3_000, 0],
    [3_000, 100],
    [3_000, 400],
  ] as const) {
    test(`SIGTERM ${after} ms after the start on ${files} files: gone within a second`, async (t) => {
      const { ended, ms } = await stopped(t, files, after)
      assert.equal(ended.status, 0, ended.stderr)
      assert.equal(logOf(ended.stderr).at(-1)?.msg, 'Stopped')
      assert.ok(ms < 1_000, `${ms} ms`)
    })
  }
})
