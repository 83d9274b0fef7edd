import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, rmdir, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { failureOf } from '../../src/controller/context/errors.ts'
import { systemFiles } from '../../src/files/file-system.ts'
import { quiet } from '../../src/log/quiet.ts'
import { openFileStore, readFileStore, recordFile } from '../../src/ownership/file-store.ts'
import { StateDirBusyError } from '../../src/ownership/lock.ts'
import { emptyRecord } from '../../src/ownership/record.ts'
import { RecordCorruptError, RecordUnavailableError } from '../../src/ownership/store.ts'
import { handedApprovals, handOver, keepFolder } from '../../src/setup/state-folder.ts'
import { fakeClock } from '../time/fake-clock.ts'
import { temporaryFolder } from './processes.ts'

const run = promisify(execFile)
const OPTIONS = { version: 'test' }
const pipe = (path: string) => run('mkfifo', [path])

/** A small disk of its own; undefined where this user may not mount one. */
async function smallDisk(t: TestContext): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'domainpilot-disk-'))
  const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]).catch(() => undefined)
  t.after(async () => {
    if (mounted !== undefined) await run('umount', [folder])
    await rmdir(folder)
  })
  return mounted && folder
}

/** Fills it to the last byte. */
const fill = (disk: string) => writeFile(join(disk, 'filler'), Buffer.alloc(1_000_000)).catch(() => undefined)

const recordOf = (removals: number) => ({
  ...emptyRecord('cid', 'app1', 'wordpress/network', { version: 'test', filters: '' }),
  rejected: {},
  removals: Array.from({ length: removals }, (_, at) => ({ host: `h${at}.example.com` as never, at })),
})

describe('a-state-folder-that-cannot-be', { timeout: 60_000 }, () => {
  test('where no folder can be made: the cause and the cure', async (t) => {
    const folder = await temporaryFolder(t)
    await writeFile(join(folder, 'file'), '')
    await symlink(join(folder, 'nowhere'), join(folder, 'link'))
    const cure =
      /cannot be used \(E.*\): make it a folder that this user may write, or name another one with --state-dir\.$/
    for (const path of [
      '/proc/nosuch',
      '/proc/nosuch/deep/down',
      `${folder}/file`,
      `${folder}/file/in`,
      `${folder}/link`,
    ])
      await assert.rejects(openFileStore(path, OPTIONS), cure, path)
  })

  test('one that is missing is made, with those above it, for its owner alone', async (t) => {
    const folder = await temporaryFolder(t)
    const store = await openFileStore(join(folder, 'a/b/c'), OPTIONS)
    await store.close()
    for (const path of ['a', 'a/b', 'a/b/c']) {
      assert.equal((await systemFiles.stat(join(folder, path))).mode & 0o777, 0o700, path)
    }
  })

  test('a lock with a number after which none can come', async (t) => {
    const folder = await temporaryFolder(t)
    const name = 'lock.999999999999999'
    await writeFile(join(folder, name), '')
    await assert.rejects(openFileStore(folder, OPTIONS), StateDirBusyError)
    await utimes(join(folder, name), 0, 0)
    const cure =
      /cannot be locked: .* Delete lock\.\* there \(in whatever case\) once no domainpilot uses the folder\.$/
    await assert.rejects(openFileStore(folder, OPTIONS), cure)
    assert.deepEqual(await readdir(folder), [name], 'nothing is left behind')
  })

  test('a pipe or a folder in place of a lock holds it like one that has just begun', async (t) => {
    for (const make of [pipe, mkdir]) {
      const folder = await temporaryFolder(t)
      const path = join(folder, 'lock.5')
      await make(path)
      await assert.rejects(openFileStore(folder, OPTIONS), StateDirBusyError)
      await utimes(path, 0, 0)
      const store = await openFileStore(folder, OPTIONS)
      await store.close()
      await (await openFileStore(folder, OPTIONS)).close()
    }
  })

  test('a pipe or a folder in place of a record is a corrupt one', async (t) => {
    for (const make of [pipe, mkdir]) {
      const folder = await temporaryFolder(t)
      const path = join(folder, recordFile('cid', 'app1'))
      await make(path)
      const store = await openFileStore(folder, OPTIONS)
      t.after(() => store.close())
      for (const each of [store, readFileStore(folder)]) {
        await assert.rejects(each.load('cid', 'app1'), (error) => {
          assert.ok(error instanceof RecordCorruptError)
          assert.match(
            error.message,
            /is not a file, but a pipe, a device or a folder\. Put the right file in its place/,
          )
          return true
        })
      }
      await assert.rejects(store.save(recordOf(0), undefined), RecordCorruptError)
    }
  })

  test('pipes in place of approvals and status hold nobody up', async (t) => {
    const folder = await temporaryFolder(t)
    for (const name of ['approval', 'approval.tmp', 'status.json', 'status.json.tmp']) await pipe(join(folder, name))
    assert.deepEqual(handedApprovals(folder), [])
    handOver(folder, '0123456789abcdef')
    assert.deepEqual(handedApprovals(folder), ['0123456789abcdef'])
    const status = {
      status: () => ({ generatedAt: 1, version: '1', apps: [], mappings: [] }) as never,
      changes: () => 1,
    }
    await keepFolder({ dir: folder, files: systemFiles, clock: fakeClock() }, status, quiet, () => undefined)()
    assert.equal(
      await systemFiles.readFile(join(folder, 'status.json'), 'utf8'),
      '{"generatedAt":1,"version":"1","apps":[],"mappings":[]}\n',
    )
  })

  test('a full disk: said as such, nothing lost, and all is well once there is room', async (t) => {
    const disk = await smallDisk(t)
    if (disk === undefined) return t.skip('this user may not mount a disk')
    const folder = join(disk, 'state')
    const store = await openFileStore(folder, OPTIONS)
    const token = await store.save(recordOf(1), undefined)
    await fill(disk)
    await assert.rejects(store.save(recordOf(500), token), (error) => {
      assert.ok(error instanceof RecordUnavailableError)
      assert.deepEqual(failureOf(error), { reason: 'Progressing', message: error.message, retryable: true })
      assert.match(error.message, /\(ENOSPC: .*\)\. Make room on its disk: until then nothing is written to its app\./)
      return true
    })
    assert.deepEqual((await store.load('cid', 'app1'))?.record, recordOf(1))
    await store.close()
    const full = /cannot be used \(ENOSPC: .*\): make room on its disk, or name another one with --state-dir\.$/
    await assert.rejects(openFileStore(folder, OPTIONS), full)
    await rm(join(disk, 'filler'))
    const next = await openFileStore(folder, OPTIONS)
    await next.save(recordOf(500), token)
    assert.deepEqual((await next.load('cid', 'app1'))?.record, recordOf(500))
    await next.close()
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.endsWith('.tmp')),
      [],
    )
  })
})
