import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { systemFiles } from '../../../src/files/file-system.ts'
import { createManifestSource, readManifests } from '../../../src/source/manifests/manifests.ts'
import { createParseThread } from '../../../src/source/manifests/parse-thread.ts'
import { ON_THE_LOOP } from '../../../src/source/manifests/parser.ts'
import { systemClock } from '../../../src/time/clock.ts'
import { app, folder, mapping, started, untilDomains, write } from './folder.ts'

const KIB = 1024
const MIB = 1024 * KIB

/** A text of about so many bytes, made of pieces. */
function text(bytes: number, piece: (index: number) => string, before = '', after = ''): string {
  const pieces = [before]
  for (let length = before.length, index = 0; length < bytes; index++) {
    const next = piece(index)
    pieces.push(next)
    length += next.length
  }
  return pieces.join('') + after
}

const OURS =
  'apiVersion: domainpilot.dev/v1alpha1\nkind: ServerPilotApp\nmetadata: {name: network}\nspec:\n  appId: AAAA\n'

/** What costs a reader much, by kind; so many bytes of each. */
const COSTLY: Record<string, (bytes: number) => string> = {
  'a name for each value, each used once': (bytes) =>
    text(bytes / 2, (n) => `  - &a${n} x\n`, `${OURS}  x:\n`) + text(bytes / 2, (n) => `  - *a${n}\n`),
  'a list without an end': (bytes) => text(bytes, () => 'a, ', '['),
  'a list of lists without an end': (bytes) => text(bytes, () => '[a, '),
  'brackets alone': (bytes) => '['.repeat(bytes),
  'dashes alone': (bytes) => '- '.repeat(bytes / 2),
  'keys in keys': (bytes) => '? '.repeat(bytes / 2),
  'a map of many keys': (bytes) => text(bytes, (n) => `k${n}: v\n`),
  'an object of many unknown fields': (bytes) => text(bytes, (n) => `  k${n}: v\n`, OURS),
  'a list of wrong hosts': (bytes) => text(bytes, (n) => `  - a${n}/\n`, `${OURS}  protectedDomains:\n`),
  'nothing but errors': (bytes) => text(bytes, () => '\t: }\n'),
  'many documents that are no objects': (bytes) => text(bytes, () => '---\nx\n'),
  'a foreign object': (bytes) => text(bytes, () => '  a line\n', 'apiVersion: v1\nkind: ConfigMap\ndata:\n  x: |\n'),
}

/**
 * The longest time for which the event loop was held while something ran; ms. Counted in processor time of its own thread, as other
 * programs of the machine and the thread that parses hold nothing.
 */
async function longestHold(work: () => Promise<unknown>): Promise<number> {
  let longest = 0
  let ended = false
  const watched = (async () => {
    for (let before = process.threadCpuUsage(); !ended; ) {
      await systemClock.turn()
      const now = process.threadCpuUsage()
      longest = Math.max(longest, now.user + now.system - before.user - before.system)
      before = now
      // Once in a while is enough, and leaves the processor to the work.
      await systemClock.sleep(1)
    }
  })()
  await work()
  await systemClock.turn()
  ended = true
  await watched
  return longest / 1000
}

/** Once before measuring: the first file of all also loads what reads files. */
async function warm(t: TestContext): Promise<void> {
  const path = await folder(t)
  await write(path, { 'a.yaml': mapping('a').repeat(1), 'b.yaml': text(4 * KIB, (n) => `${mapping(`m${n}`)}---\n`) })
  assert.deepEqual((await readManifests([path])).faults, [])
}

describe('yaml-that-costs-too-much', () => {
  // Of moderate size: what grows faster than its file shows here already.
  for (const [what, make] of Object.entries(COSTLY)) {
    test(`${what}: the rest is read, and the event loop goes on`, async (t) => {
      await warm(t)
      const path = await folder(t)
      const costly = make(128 * KIB)
      await write(path, { 'costly.yaml': costly, 'small.yaml': make(2 * KIB - 200), 'shop.yaml': mapping('shop') })
      let domains: string[] = []
      const began = performance.now()
      const held = await longestHold(async () => {
        domains = [...(await readManifests([path])).mappings.values()].map(({ domain }) => domain)
      })
      assert.deepEqual(domains, ['shop.example.com'])
      assert.ok(held < 100, `held for ${held} ms`)
      t.diagnostic(`${Math.round(performance.now() - began)} ms, held ${Math.round(held)} ms`)
    })
  }

  test('a file as large as is allowed, full of objects: all are read, and the event loop goes on', async (t) => {
    await warm(t)
    const path = await folder(t)
    const full = text(2 * MIB - 2 * KIB, (n) => `${mapping(`m${n}`)}---\n`)
    await write(path, { 'network.yaml': app(), 'full.yaml': full })
    let count = 0
    const held = await longestHold(async () => {
      const { mappings, faults } = await readManifests([path])
      assert.deepEqual(faults, [])
      count = mappings.size
    })
    assert.ok(count > 10_000)
    t.diagnostic(`${count} mappings, held ${Math.round(held)} ms`)
    assert.ok(held < 100, `held for ${held} ms`)
  })

  test('many small files: the event loop goes on between them', async (t) => {
    await warm(t)
    const path = await folder(t)
    for (let n = 0; n < 500; n++) await write(path, { [`m${n}.yaml`]: mapping(`m${n}`) })
    const held = await longestHold(() => readManifests([path]))
    assert.ok(held < 100, `held for ${held} ms`)
  })

  test('a file over the bound is refused by name and not read; the others are followed', async (t) => {
    const path = await folder(t)
    const read: string[] = []
    const readFile = ((file: string) => {
      read.push(file)
      return systemFiles.readFile(file)
    }) as typeof systemFiles.readFile
    await write(path, { 'a.yaml': mapping('a'), 'large.yaml': COSTLY['a foreign object']?.(2 * MIB + 1) ?? '' })
    const { source, domains, failure } = await started(t, [path], { fs: { ...systemFiles, readFile } })
    assert.match(failure(), /large\.yaml: the file has 2\.01 MiB, more than 2; divide it, or raise --max-file-mib/)
    assert.ok(!read.some((file) => file.endsWith('large.yaml')))
    await write(path, { 'b.yaml': mapping('b') })
    await untilDomains(domains, ['a', 'b'])
    await write(path, { 'large.yaml': mapping('large') })
    await untilDomains(domains, ['a', 'b', 'large'])
    assert.equal(source.failure(), undefined)
  })

  test('the bounds can be set; what does not fit into all files together is refused by name, and keeps what it said', async (t) => {
    const path = await folder(t)
    await write(path, { 'a.yaml': mapping('a'), 'b.yaml': mapping('b'), 'c.yaml': mapping('c') })
    const [one] = [mapping('a').length / MIB]
    const limits = { maxFileMib: one * 2, maxFilesMib: one * 3 + 3 / MIB }
    const { domains, failure } = await started(t, [path], { limits })
    assert.equal(failure(), '')
    await write(path, { 'b.yaml': `${mapping('b')}# more\n` })
    await untilDomains(domains, ['a', 'b', 'c'])
    const { faults } = await readManifests([path], limits)
    assert.deepEqual(
      faults.map(({ place }) => place),
      [join(path, 'c.yaml')],
    )
    assert.match(faults[0]?.message ?? '', /all files together have more than .*raise --max-files-mib/)
    const { faults: small } = await readManifests([path], { maxFileMib: one / 2, maxFilesMib: 1 })
    assert.equal(small.length, 3)
  })

  test('a file that takes too long is given up, and the next one is read', async (t) => {
    let patience = 1
    const clock = { after: (ms: number, fire: () => void) => systemClock.after(Math.min(ms, patience), fire) }
    const thread = createParseThread(clock)
    t.after(() => thread.close())
    const bytes = Buffer.from(text(512 * KIB, (n) => `${mapping(`m${n}`)}---\n`))
    assert.match(String(await thread.parse({ bytes, file: 'a.yaml' })), /takes more than 38 s to read; divide it/)
    patience = 60_000
    for (const name of ['b', 'c']) {
      const parsed = await thread.parse({ bytes: Buffer.from(mapping(name)), file: `${name}.yaml` })
      assert.ok(typeof parsed !== 'string')
      assert.deepEqual(
        parsed.mappings.map((each) => each.name),
        [name],
      )
    }
  })

  test('a reading that nobody waits for any more ends', async (t) => {
    const thread = createParseThread(systemClock)
    t.after(() => thread.close())
    const bytes = Buffer.from(text(512 * KIB, (n) => `${mapping(`m${n}`)}---\n`))
    const end = new AbortController()
    const parsed = thread.parse({ bytes, file: 'a.yaml' }, end.signal)
    end.abort(new Error('stopped'))
    await assert.rejects(parsed, /stopped/)
    await assert.rejects(thread.parse({ bytes, file: 'a.yaml' }, end.signal), /stopped/)
  })

  test('many larger files share one thread', async (t) => {
    const path = await folder(t)
    const large = (n: number): string => `${mapping(`m${n}`)}# ${'x'.repeat(3 * KIB)}\n`
    for (let n = 0; n < 20; n++) await write(path, { [`m${n}.yaml`]: large(n) })
    const started: unknown[] = []
    const hear = (worker: unknown): void => void started.push(worker)
    process.on('worker', hear)
    t.after(() => process.off('worker', hear))
    assert.equal((await readManifests([path])).mappings.size, 20)
    assert.equal(started.length, 1)
    // A command has nothing else to do meanwhile.
    const source = createManifestSource({ paths: [path], onTheLoop: ON_THE_LOOP.command })
    await source.start(() => undefined)
    await source.stop()
    assert.equal(source.mappings().length, 20)
    assert.equal(started.length, 1)
  })

  test('nested too deeply: one fault, told as such', async (t) => {
    const path = await folder(t)
    await write(path, { 'deep.yaml': `${OURS}  x: ${'['.repeat(200)}${']'.repeat(200)}\n` })
    const { faults } = await readManifests([path])
    assert.equal(faults.length, 1)
    assert.match(faults[0]?.message ?? '', /nested too deeply to be read/)
  })
})
