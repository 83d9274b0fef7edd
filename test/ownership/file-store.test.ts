import assert from 'node:assert/strict'
import * as nodeFiles from 'node:fs/promises'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type FileSystem, systemFiles } from '../../src/files/file-system.ts'
import { openFileStore, readFileStore, recordFile } from '../../src/ownership/file-store.ts'
import type { OwnershipRecord } from '../../src/ownership/record.ts'
import { RecordConflictError, RecordCorruptError } from '../../src/ownership/store.ts'
import { startWriter, temporaryFolder } from './processes.ts'
import { hosts, recordOf } from './records.ts'

const OPTIONS = { version: 'test' }
const FILE = recordFile('account', 'app')
const numbered = (number: number, count = 300): OwnershipRecord => ({
  ...recordOf(hosts(count)),
  approvalsUsed: number,
})

async function temporaries(stateDir: string): Promise<string[]> {
  return (await readdir(stateDir)).filter((name) => name.endsWith('.tmp'))
}

describe('file store', { timeout: 120_000 }, () => {
  test('loads-what-was-saved-and-compares-before-it-swaps', async (t) => {
    const stateDir = join(await temporaryFolder(t), 'a', 'b')
    const store = await openFileStore(stateDir, OPTIONS)
    assert.equal(await store.load('account', 'app'), undefined)
    const first = await store.save(numbered(1), undefined)
    assert.deepEqual(await store.load('account', 'app'), { record: numbered(1), token: first })
    await assert.rejects(store.save(numbered(2), undefined), RecordConflictError)
    await assert.rejects(store.save(numbered(2), 'other'), RecordConflictError)
    const second = await store.save(numbered(2), first)
    await assert.rejects(store.save(numbered(3), first), RecordConflictError)
    assert.deepEqual(await store.load('account', 'app'), { record: numbered(2), token: second })
    await nodeFiles.rm(join(stateDir, FILE))
    await assert.rejects(store.save(numbered(3), second), RecordConflictError, 'it was deleted meanwhile')
    await store.close()
  })

  test('for-the-owner-alone', async (t) => {
    const stateDir = join(await temporaryFolder(t), 'state')
    const store = await openFileStore(stateDir, OPTIONS)
    await store.save(numbered(1), undefined)
    assert.equal((await stat(stateDir)).mode & 0o777, 0o700)
    for (const name of await readdir(stateDir)) {
      assert.equal((await stat(join(stateDir, name))).mode & 0o777, 0o600, name)
    }
    await store.close()
  })

  test('a-close-waits-for-writes-under-way-and-takes-no-more', async (t) => {
    const stateDir = await temporaryFolder(t)
    const store = await openFileStore(stateDir, OPTIONS)
    const saving = store.save(numbered(1), undefined)
    const closing = [store.close(), store.close()]
    await assert.rejects(store.save(numbered(2), undefined), /no longer ours: it was released/)
    await Promise.all(closing)
    const token = await saving
    assert.deepEqual((await readFileStore(stateDir).load('account', 'app'))?.token, token)
    const next = await openFileStore(stateDir, OPTIONS)
    await next.close()
  })

  test('of-writes-at-once-one-wins', async (t) => {
    const store = await openFileStore(await temporaryFolder(t), OPTIONS)
    const writes = await Promise.allSettled([1, 2, 3, 4].map((number) => store.save(numbered(number), undefined)))
    assert.deepEqual(
      writes.map((each) => each.status),
      ['fulfilled', 'rejected', 'rejected', 'rejected'],
    )
    assert.equal((await store.load('account', 'app'))?.record.approvalsUsed, 1)
    await store.close()
    await assert.rejects(store.save(numbered(2), undefined), /no longer ours/)
  })

  test('every-account-and-app-has-its-own-file-with-a-safe-name', () => {
    const id = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('a', 'A', '../a', 'a/b', 'a-b', '.', '', 'a\0b', 'é'),
    )
    fc.assert(
      fc.property(id, id, id, id, (account, app, account2, app2) => {
        const name = recordFile(account, app)
        assert.match(name, /^ownership-[A-Za-z0-9_]*-[A-Za-z0-9_]*-[0-9a-f]{16}\.json$/)
        assert.ok(name.length < 128)
        const same = account === account2 && app === app2
        assert.equal(name.toLowerCase() === recordFile(account2, app2).toLowerCase(), same)
      }),
    )
  })

  test('corrupt-newer-and-misplaced-records-are-errors-that-name-the-file', async (t) => {
    const stateDir = await temporaryFolder(t)
    const store = await openFileStore(stateDir, OPTIONS)
    const file = join(stateDir, FILE)
    const token = await store.save(numbered(1), undefined)
    const text = await readFile(file, 'utf8')
    const refused = async (pattern: RegExp): Promise<void> => {
      await assert.rejects(store.load('account', 'app'), (error) => {
        assert.ok(error instanceof RecordCorruptError && error.message.includes(file))
        return pattern.test(error.message)
      })
    }
    await writeFile(file, text.slice(0, 1000))
    await refused(/not complete JSON/)
    await assert.rejects(store.save(numbered(2), token), RecordConflictError, 'it is not written over')
    await writeFile(file, '')
    await refused(/it is empty/)
    await writeFile(file, text.replace('"version": 1', '"version": 7'))
    await refused(/newer domainpilot/)
    await writeFile(file, text.replace('"appId": "app"', '"appId": "other"'))
    await refused(/that of another app \(other of account account\)/)
    await writeFile(file, text)
    assert.equal((await store.load('account', 'app'))?.token, token)
    await store.close()
  })

  test('reading-alone-takes-no-lock-and-makes-nothing', async (t) => {
    const stateDir = await temporaryFolder(t)
    assert.equal(await readFileStore(join(stateDir, 'none')).load('account', 'app'), undefined)
    assert.deepEqual(await readdir(stateDir), [])
    const store = await openFileStore(stateDir, OPTIONS)
    await store.save(numbered(1), undefined)
    const reader = readFileStore(stateDir)
    assert.deepEqual((await reader.load('account', 'app'))?.record, numbered(1))
    await assert.rejects(reader.save(numbered(2), undefined), /for reading only/)
    await store.close()
  })

  test('a-folder-that-cannot-be-used-is-named-with-the-cure', async (t) => {
    const folder = await temporaryFolder(t)
    await writeFile(join(folder, 'file'), '')
    await assert.rejects(
      openFileStore(join(folder, 'file'), OPTIONS),
      /state folder .*file cannot be used .*--state-dir/,
    )
    await assert.rejects(openFileStore(join(folder, 'file', 'below'), OPTIONS), /cannot be used \(ENOTDIR/)
  })

  test('temporaries-of-a-crash-go-when-it-is-opened', async (t) => {
    const stateDir = await temporaryFolder(t)
    await writeFile(join(stateDir, `.${FILE}.1234.tmp`), 'half a rec')
    await writeFile(join(stateDir, 'notes.tmp'), 'not ours')
    const store = await openFileStore(stateDir, OPTIONS)
    assert.deepEqual(await temporaries(stateDir), ['notes.tmp'])
    await store.close()
  })
})

/** What goes wrong: at which call, how far a write gets, and whether the process survives it. */
interface Fault {
  /** Which of the calls that touch the disk, counted from 0. */
  at: number
  code: string
  /** Bytes that get written before a write fails. */
  bytes: number
  /** Nothing after it works either, also no tidying: the process is gone. */
  crash: boolean
}

/** A file system with that fault, in force during `work` alone. */
function faulty(fault: Fault): { fs: FileSystem; calls: string[]; during<T>(work: () => Promise<T>): Promise<T> } {
  const calls: string[] = []
  let inForce = false
  const step = async <Result>(name: string, call: () => Promise<Result>): Promise<Result> => {
    if (!inForce) return await call()
    const number = calls.push(name) - 1
    if (number === fault.at || (fault.crash && number > fault.at)) {
      throw Object.assign(new Error(`${fault.code}: injected, ${name}`), { code: fault.code })
    }
    return await call()
  }
  const fs: FileSystem = {
    ...systemFiles,
    rename: (from, to) => step('rename', () => nodeFiles.rename(from, to)),
    rm: (path, options) => step('rm', () => nodeFiles.rm(path, options)),
    open: async (path, flags, mode) => {
      const handle = await step('open', () => nodeFiles.open(path, flags, mode))
      const write = handle.writeFile.bind(handle)
      const sync = handle.sync.bind(handle)
      handle.writeFile = async (data) => {
        if (inForce && calls.length === fault.at) await write(String(data).slice(0, fault.bytes))
        await step('write', () => write(data))
      }
      handle.sync = () => step('sync', sync)
      return handle
    },
  }
  return {
    fs,
    calls,
    during(work) {
      inForce = true
      return work().finally(() => {
        inForce = false
      })
    },
  }
}

describe('file store under faults', { timeout: 120_000 }, () => {
  test('at-every-call-and-every-length-of-a-write-the-record-is-the-old-or-the-new-one', async (t) => {
    const stateDir = await temporaryFolder(t)
    const [old, fresh] = [numbered(1, 3), numbered(2, 4)]
    const file = join(stateDir, FILE)
    const setUp = await openFileStore(stateDir, OPTIONS)
    const token = await setUp.save(old, undefined)
    await setUp.close()
    const oldText = await readFile(file, 'utf8')
    const length = oldText.length
    // open, write, sync, rename, then open and sync of the folder
    const faults: Omit<Fault, 'crash'>[] = [
      { at: 0, code: 'EACCES', bytes: 0 },
      ...Array.from({ length: length + 1 }, (_, bytes) => ({ at: 1, code: 'ENOSPC', bytes })),
      { at: 2, code: 'EIO', bytes: 0 },
      { at: 3, code: 'EIO', bytes: 0 },
      { at: 4, code: 'EIO', bytes: 0 },
      { at: 5, code: 'EIO', bytes: 0 },
    ]
    const store = await openFileStore(stateDir, OPTIONS)
    await store.close()
    for (const fault of faults) {
      for (const crash of [false, true]) {
        await writeFile(file, oldText)
        const { fs, calls, during } = faulty({ ...fault, crash })
        const broken = await openFileStore(stateDir, { ...OPTIONS, fs })
        const saving = during(() => broken.save(fresh, token))
        await assert.rejects(saving, new RegExp(`Cannot write the ownership record .*${fault.code}`))
        await broken.close()
        const left = await temporaries(stateDir)
        if (!crash) assert.deepEqual(left, [], `${fault.code} at ${calls.at(-1)} left a temporary`)
        const again = await openFileStore(stateDir, OPTIONS)
        const stored = await again.load('account', 'app')
        assert.deepEqual(stored?.record, fault.at < 4 ? old : fresh)
        assert.deepEqual(await temporaries(stateDir), [])
        await again.close()
      }
    }
  })

  test('file-systems-that-cannot-sync-a-folder-serve', async (t) => {
    const stateDir = await temporaryFolder(t)
    const { fs, calls, during } = faulty({ at: 5, code: 'EINVAL', bytes: 0, crash: false })
    const store = await openFileStore(stateDir, { ...OPTIONS, fs })
    await during(() => store.save(numbered(1), undefined))
    assert.deepEqual(calls, ['open', 'write', 'sync', 'rename', 'open', 'sync'])
    await store.close()
  })

  test('killed-at-any-moment-the-record-is-whole-and-what-was-said-is-there', async (t) => {
    const stateDir = await temporaryFolder(t)
    let last = -1
    let torn = 0
    for (let round = 0; round < 32; round++) {
      const writer = await startWriter(t, stateDir, 'write')
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 60))
      await writer.kill()
      const said = writer.said().map(Number)
      torn += (await temporaries(stateDir)).length
      const store = await openFileStore(stateDir, OPTIONS)
      const stored = await store.load('account', 'app')
      const promised = said.at(-1) ?? last
      const found = stored?.record.approvalsUsed ?? -1
      assert.ok(found === promised || found === promised + 1, `said ${promised}, found ${found}`)
      const count = Object.keys(stored?.record.hosts ?? {}).length
      if (stored !== undefined) assert.equal(count, 1 + ((found * 97) % 300))
      assert.deepEqual(await temporaries(stateDir), [])
      await store.close()
      last = found
    }
    t.diagnostic(`${last} records written, ${torn} temporaries left by kills`)
  })
})
