import assert from 'node:assert/strict'
import { readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { type FileSystem, systemFiles } from '../../src/files/file-system.ts'
import { openFileStore } from '../../src/ownership/file-store.ts'
import { lockStateDir, StateDirBusyError, type StateLock } from '../../src/ownership/lock.ts'
import { identifySelf, isRunning } from '../../src/ownership/process-identity.ts'
import { RecordStoreLostError, RecordUnavailableError } from '../../src/ownership/store.ts'
import { systemClock } from '../../src/time/clock.ts'
import { stopAnywhere } from '../stop-anywhere.ts'
import { fakeClock } from '../time/fake-clock.ts'
import { startWriter, temporaryFolder } from './processes.ts'
import { hosts, recordOf } from './records.ts'

const OPTIONS = { version: '1.2.3', clock: { ...systemClock, now: () => Date.UTC(2026, 0, 15) } }
const ELSEWHERE = { pid: 7, host: 'elsewhere', scope: 'another kernel', started: '1' }

/** Whoever takes the folder while all of these try: at most one. */
async function race(stateDir: string, count: number): Promise<StateLock[]> {
  const attempts = Array.from({ length: count }, () => lockStateDir(stateDir, OPTIONS))
  const results = await Promise.allSettled(attempts)
  return results.flatMap((each) => {
    if (each.status === 'fulfilled') return [each.value]
    assert.ok(each.reason instanceof StateDirBusyError, String(each.reason))
    return []
  })
}

describe('lock of the state folder', { timeout: 120_000 }, () => {
  test('one-at-a-time-and-the-error-says-who-and-what-to-do', async (t) => {
    const stateDir = await temporaryFolder(t)
    const self = await identifySelf()
    const lock = await lockStateDir(stateDir, OPTIONS)
    await lock.assertLocked()
    await assert.rejects(lockStateDir(stateDir, OPTIONS), {
      name: 'StateDirBusyError',
      message: `The state folder ${stateDir} is held by process ${process.pid} on host ${self.host}, since 2026-01-15T00:00:00.000Z (domainpilot 1.2.3). One process at a time may hold it: stop that one, or give this one another --state-dir.`,
    })
    await lock.release()
    await lock.release()
    const next = await lockStateDir(stateDir, OPTIONS)
    await next.assertLocked()
    await assert.rejects(lock.assertLocked(), RecordStoreLostError)
    assert.deepEqual((await readdir(stateDir)).sort(), ['lock.2'])
    await next.release()
  })

  test('two-processes-one-lock-and-that-of-a-killed-one-is-free', async (t) => {
    const stateDir = await temporaryFolder(t)
    for (let round = 0; round < 3; round++) {
      const holder = await startWriter(t, stateDir, 'hold')
      await assert.rejects(openFileStore(stateDir, OPTIONS), new RegExp(`held by process ${holder.child.pid} `))
      await holder.kill()
      const store = await openFileStore(stateDir, OPTIONS)
      await store.close()
    }
  })

  test('a-stopped-process-still-holds-it', async (t) => {
    const stateDir = await temporaryFolder(t)
    const holder = await startWriter(t, stateDir, 'hold')
    holder.child.kill('SIGSTOP')
    for (const name of await readdir(stateDir)) await utimes(join(stateDir, name), 0, 0)
    await assert.rejects(openFileStore(stateDir, OPTIONS), StateDirBusyError)
    await holder.kill()
  })

  test('of-many-that-try-at-once-one-gets-it', async (t) => {
    const stateDir = await temporaryFolder(t)
    for (let round = 0; round < 20; round++) {
      const winners = await race(stateDir, 8)
      assert.equal(winners.length, 1, `round ${round}`)
      await winners[0]?.assertLocked()
      assert.equal((await readdir(stateDir)).filter((name) => name.startsWith('lock.')).length, 1)
      await winners[0]?.release()
    }
    assert.deepEqual(
      (await readdir(stateDir)).filter((name) => name.endsWith('.tmp')),
      [],
    )
  })

  test('of-many-that-find-the-holder-dead-one-takes-over', async (t) => {
    const stateDir = await temporaryFolder(t)
    for (let round = 0; round < 5; round++) {
      const holder = await startWriter(t, stateDir, 'hold')
      await holder.kill()
      const winners = await race(stateDir, 8)
      assert.equal(winners.length, 1, `round ${round}`)
      await winners[0]?.release()
    }
  })

  test('a-number-that-another-process-got-since-is-no-holder', async (t) => {
    const stateDir = await temporaryFolder(t)
    const self = await identifySelf()
    if (self.started === undefined) return t.skip('the system does not tell when processes start')
    const earlier = { ...self, started: 'long ago' }
    assert.equal(await isRunning(self), true)
    assert.equal(await isRunning(earlier), false)
    const stale = await lockStateDir(stateDir, { ...OPTIONS, self: earlier })
    const lock = await lockStateDir(stateDir, OPTIONS)
    await lock.release()
    await stale.release()
  })

  test('without-a-known-start-the-number-decides', async () => {
    const { started: _, ...self } = await identifySelf()
    assert.equal(await isRunning(self), true)
    assert.equal(await isRunning({ ...self, pid: 2 ** 30 }), false)
  })

  test('a-holder-out-of-sight-holds-it-while-it-gives-signs-of-life', async (t) => {
    const stateDir = await temporaryFolder(t)
    const far = await lockStateDir(stateDir, { ...OPTIONS, self: ELSEWHERE })
    await assert.rejects(
      lockStateDir(stateDir, OPTIONS),
      /process 7 on host elsewhere.* another machine or in another container; if it is gone, the folder is free 30 s after/,
    )
    const past = Date.now() / 1000 - 31
    await utimes(join(stateDir, 'lock.1'), past, past)
    const lock = await lockStateDir(stateDir, OPTIONS)
    await lock.assertLocked()
    await assert.rejects(far.assertLocked(), /no longer ours: another process took the state folder over/)
    await far.release()
    await lock.assertLocked()
    await lock.release()
  })

  test('the-holder-gives-signs-of-life-in-place', async (t) => {
    const stateDir = await temporaryFolder(t)
    const clock = fakeClock()
    const lock = await lockStateDir(stateDir, { ...OPTIONS, clock })
    const path = join(stateDir, 'lock.1')
    const text = await readFile(path, 'utf8')
    await utimes(path, 0, 0)
    clock.advance(5_000)
    while ((await stat(path)).mtimeMs === 0) await turn()
    assert.equal(await readFile(path, 'utf8'), text)
    await Promise.all([lock.release(), lock.release()])
    assert.equal(clock.pending(), 0)
  })

  test('a-release-at-any-point-leaves-nothing-at-work', async (t) => {
    const stateDir = await temporaryFolder(t)
    await stopAnywhere(() => {
      const clock = fakeClock()
      let taking: Promise<StateLock> | undefined
      return {
        clock,
        start() {
          taking = lockStateDir(stateDir, { ...OPTIONS, clock })
          return taking
        },
        stop: async () => (await taking)?.release(),
      }
    })
    assert.equal((await readdir(stateDir)).length, 1)
  })

  test('a-lock-file-cut-short-is-one-that-has-just-begun-until-it-is-old', async (t) => {
    const stateDir = await temporaryFolder(t)
    const path = join(stateDir, 'lock.4')
    await writeFile(path, '{"pid": 1')
    await assert.rejects(lockStateDir(stateDir, OPTIONS), /held by a process that has just begun \(.*lock\.4\)/)
    await utimes(path, 1, 1)
    const lock = await lockStateDir(stateDir, OPTIONS)
    assert.deepEqual(await readdir(stateDir), ['lock.5'])
    await lock.release()
  })

  test('who-lost-the-folder-writes-no-more', async (t) => {
    const stateDir = await temporaryFolder(t)
    const store = await openFileStore(stateDir, OPTIONS)
    const token = await store.save(recordOf(hosts(1)), undefined)
    await rm(join(stateDir, 'lock.1'))
    await assert.rejects(store.save(recordOf(hosts(2)), token), RecordStoreLostError)
    assert.deepEqual((await store.load('account', 'app'))?.record, recordOf(hosts(1)))
    await store.close()
  })

  test('a-lock-that-cannot-be-read-for-a-moment-is-not-lost', async (t) => {
    const stateDir = await temporaryFolder(t)
    let broken = false
    const fs: FileSystem = {
      ...systemFiles,
      stat: (async (path: string) => {
        if (broken) throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })
        return await systemFiles.stat(path)
      }) as FileSystem['stat'],
    }
    const store = await openFileStore(stateDir, { ...OPTIONS, fs })
    const token = await store.save(recordOf(hosts(1)), undefined)
    broken = true
    await assert.rejects(store.save(recordOf(hosts(2)), token), RecordUnavailableError)
    broken = false
    await store.save(recordOf(hosts(2)), token)
    await store.close()
  })
})
