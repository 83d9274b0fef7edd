import assert from 'node:assert/strict'
import { mkdir, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { appDefaults } from '../../../src/api/schema.ts'
import type { FileFault } from '../../../src/api/yaml.ts'
import { createManifestSource, readManifests } from '../../../src/source/manifests/manifests.ts'
import { app, folder, mapping, started, until, untilDomains, write } from './folder.ts'

const names = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => String(from + i).padStart(2, '0'))

test('one-broken-file-of-forty: the rest is served, the failure names the line, the broken file keeps its objects', async (t) => {
  const path = await folder(t)
  await write(path, { 'app.yaml': app() })
  for (const n of names(1, 40)) await write(path, { [`${n}.yaml`]: mapping(`h${n}`) })
  const { source, domains, failure, told } = await started(t, [path])
  assert.equal(domains().length, 40)
  assert.ok(source.synced())
  assert.equal(source.failure(), undefined)

  const broken = mapping('h17').replace('  domain', '\tdomain')
  await write(path, { '17.yaml': broken, '41.yaml': mapping('h41') })
  await unlink(join(path, '03.yaml'))
  await untilDomains(
    domains,
    names(1, 41)
      .filter((n) => n !== '03')
      .map((n) => `h${n}`),
  )
  assert.match(failure(), /17\.yaml:5:1: DomainMapping default\/h17: this is not valid YAML: Tabs/)
  assert.match(source.faults()[0]?.place ?? '', /17\.yaml:5:1$/)
  assert.ok(source.synced())
  const network = source.app('default/network')
  assert.ok(network)
  assert.match(source.mappingsOf(network).failure?.message ?? '', /17\.yaml:5/)
  assert.ok(told.flat().includes('default/network'))

  await write(path, { '17.yaml': mapping('h17') })
  await until(() => assert.equal(source.failure(), undefined))
  assert.equal(domains().length, 40)
  assert.deepEqual(source.faults(), [])
})

describe('one-broken-file-of-forty: what counts as broken', () => {
  const ways: [string, (path: string) => Promise<void>, RegExp][] = [
    [
      'a dangling link',
      async (path) => {
        await unlink(path)
        await symlink('nowhere.yaml', path)
      },
      /b\.yaml: the link leads to nowhere.yaml, which does not exist/,
    ],
    [
      'a link to itself',
      async (path) => {
        await unlink(path)
        await symlink('b.yaml', path)
      },
      /b\.yaml: .*circle/,
    ],
    [
      'a folder in its place',
      async (path) => {
        await unlink(path)
        await mkdir(path)
      },
      /b\.yaml: this is a folder where a file is expected/,
    ],
    ['no byte left', (path) => writeFile(path, ''), /b\.yaml:1:.*the file is empty \(0 bytes\)/],
    ['NUL bytes', (path) => writeFile(path, new Uint8Array(99)), /b\.yaml:1: .*U\+0000/],
    [
      'an invalid object',
      (path) => writeFile(path, `${mapping('b')}  wwww: x\n`),
      /b\.yaml:7:3: DomainMapping default\/b: spec.wwww/,
    ],
  ]
  for (const [what, breakIt, message] of ways) {
    test(what, async (t) => {
      const path = await folder(t)
      await write(path, { 'a.yaml': mapping('a'), 'b.yaml': mapping('b') })
      const { source, domains, failure } = await started(t, [path])
      await breakIt(join(path, 'b.yaml'))
      await until(() => assert.match(failure(), message))
      assert.deepEqual(domains().sort(), ['a', 'b'])
      await rm(join(path, 'b.yaml'), { recursive: true })
      await untilDomains(domains, ['a'])
      assert.equal(source.failure(), undefined)
    })
  }

  test('a link to a folder above', async (t) => {
    const path = await folder(t)
    await mkdir(join(path, 'team'))
    await write(path, { 'team/a.yaml': mapping('a') })
    await symlink('..', join(path, 'team/up'))
    const { domains, failure } = await started(t, [path])
    assert.deepEqual(domains(), ['a'])
    assert.match(failure(), /team\/up: the link leads back/)
  })

  test('a link to a folder that is not mounted', async (t) => {
    const path = await folder(t)
    const elsewhere = await folder(t)
    await write(path, { 'a.yaml': mapping('a') })
    await symlink(join(elsewhere, 'team'), join(path, 'team'))
    const { source, domains, failure } = await started(t, [path])
    assert.match(failure(), /team: the link leads to .*team, which does not exist/)
    await mkdir(join(elsewhere, 'team'))
    await write(elsewhere, { 'team/b.yaml': mapping('b') })
    await untilDomains(domains, ['a', 'b'])
    await until(() => assert.equal(source.failure(), undefined))
  })
})

test('files-in-other-encodings', async (t) => {
  const path = await folder(t)
  await write(path, {
    'utf16.yaml': Buffer.from(`\ufeff${mapping('a')}`, 'utf16le'),
    'bom.yaml': `\ufeff${mapping('b')}`,
    'crlf.yaml': mapping('c').replaceAll('\n', '\r\n'),
    'joined.yaml': `\ufeff${mapping('d')}---\n\ufeff${mapping('e')}`,
  })
  const read = await readManifests([path])
  assert.deepEqual(read.faults, [])
  assert.deepEqual([...read.mappings.values()].map(({ name }) => name).sort(), ['a', 'b', 'c', 'd', 'e'])
})

test('parses-without-a-complaint', async (t) => {
  const path = await folder(t)
  await write(path, {
    'dup.yaml': `# 1\n${mapping('dup').replace('  appRef', '  domain: new.example.com\n  appRef')}`,
    'template.yaml': `# 1\n${mapping('tpl', '{{ .Values.domain }}')}`,
    'kind.yaml': `# 1\n${mapping('typo').replace('DomainMapping', 'DomainMaping')}`,
    'others.yaml': '# nothing\n---\n---\napiVersion: v1\nkind: ConfigMap\n',
    'values.txt': 'no manifest',
  })
  const read = await readManifests([path])
  const places = read.faults.map(({ place }) => place.slice(path.length + 1))
  assert.deepEqual(places, ['dup.yaml:7:3', 'kind.yaml:3:1', 'template.yaml:6:3'])
  assert.equal(read.mappings.size, 0)
  assert.match(read.failure?.message ?? '', /dup\.yaml:7:3: .* \(and 2 more\)$/)
  assert.deepEqual(read.faults[0]?.object, { kind: 'DomainMapping', key: 'default/dup' })
  assert.equal((read.faults[2] as FileFault).field, 'spec.domain')
})

describe('source-that-is-not-there-yet', () => {
  test('(a) no folder: a failure, and in sync without a restart when it is there', async (t) => {
    const path = join(await folder(t), 'a', 'domains')
    const { source, domains, failure } = await started(t, [path])
    assert.match(failure(), /domains: there is no such file or folder/)
    assert.ok(!source.synced())
    await mkdir(path, { recursive: true })
    await write(path, { 'app.yaml': app(), 'a.yaml': mapping('a') })
    await untilDomains(domains, ['a'])
    await until(() => assert.equal(source.failure(), undefined))
    assert.ok(source.synced())
  })

  test('(a) in the middle of its life: what was read last stays', async (t) => {
    const path = join(await folder(t), 'domains')
    await mkdir(path)
    await write(path, { 'app.yaml': app(), 'a.yaml': mapping('a') })
    const { source, domains, failure, told } = await started(t, [path])
    await rename(path, `${path}.away`)
    await until(() => assert.match(failure(), /there is no such file or folder/))
    assert.deepEqual(domains(), ['a'])
    assert.equal(source.apps().length, 1)
    assert.ok(source.synced())
    assert.deepEqual(told.at(-1), ['default/network'])
    await mkdir(path)
    await write(path, { 'app.yaml': app(), 'b.yaml': mapping('b') })
    await untilDomains(domains, ['b'])
    await until(() => assert.equal(source.failure(), undefined))
    await write(path, { 'c.yaml': mapping('c') })
    await untilDomains(domains, ['b', 'c'])
  })

  test('(b) an empty folder is no failure', async (t) => {
    const path = await folder(t)
    await write(path, { 'a.yaml': mapping('a') })
    const { source, domains } = await started(t, [path])
    await unlink(join(path, 'a.yaml'))
    await untilDomains(domains, [])
    assert.equal(source.failure(), undefined)
    await write(path, { '.gitkeep': '' })
    assert.equal((await readManifests([path])).failure, undefined)
  })

  for (const name of ['.git', 'lost+found', 'README.md']) {
    test(`(c) a folder that holds only ${name}`, async (t) => {
      const path = await folder(t)
      await mkdir(join(path, name))
      const { source, domains, failure } = await started(t, [path])
      assert.match(failure(), /there is no manifest .* in this folder, only /)
      assert.ok(failure().includes(name))
      assert.ok(!source.synced())
      await write(path, { 'a.yaml': mapping('a') })
      await untilDomains(domains, ['a'])
      assert.equal(source.failure(), undefined)
      await unlink(join(path, 'a.yaml'))
      await until(() => assert.match(failure(), /no manifest/))
      assert.deepEqual(domains(), ['a'])
    })
  }

  test('an app that goes while the source fails is still there to tell the failure', async (t) => {
    const path = await folder(t)
    await write(path, { 'app.yaml': app(), 'a.yaml': mapping('a') })
    const { source, failure } = await started(t, [path])
    await write(path, { 'b.yaml': 'kind: [' })
    await unlink(join(path, 'app.yaml'))
    await until(() => assert.match(failure(), /b\.yaml/))
    assert.equal(source.apps().length, 1)
    await unlink(join(path, 'b.yaml'))
    await until(() => assert.equal(source.failure(), undefined))
    assert.equal(source.apps().length, 0)
  })
})

describe('following changes', () => {
  test('a burst is one change, and one app of two is told', async (t) => {
    const path = await folder(t)
    await write(path, { 'apps.yaml': `${app('one')}---\n${app('two')}` })
    const { domains, told } = await started(t, [path])
    const start = performance.now()
    for (const n of names(1, 20)) await write(path, { [`${n}.yaml`]: mapping(`h${n}`, undefined, 'two') })
    await until(() => assert.equal(domains().length, 20))
    assert.ok(performance.now() - start < 1000)
    await sleep(200)
    assert.deepEqual(told, [['default/two']])
  })

  test('a change is there within a moment', async (t) => {
    const path = await folder(t)
    await write(path, { 'app.yaml': app() })
    const { domains } = await started(t, [path])
    const start = performance.now()
    await write(path, { 'a.yaml': mapping('a') })
    await untilDomains(domains, ['a'])
    // 100 ms is the aim; the bound leaves room for a busy machine.
    assert.ok(performance.now() - start < 500)
  })

  test('files that change all the time are read all the same', async (t) => {
    const path = await folder(t)
    await write(path, { 'app.yaml': app() })
    const { domains } = await started(t, [path])
    await write(path, { 'a.yaml': mapping('a') })
    const start = performance.now()
    for (let i = 0; domains().length === 0; i++) {
      await write(path, { 'noise.yaml': `# ${i}\n` })
      await sleep(10)
      assert.ok(performance.now() - start < 3000)
    }
  })

  test('editors that write beside and rename over; their scraps are no manifests', async (t) => {
    const path = await folder(t)
    await write(path, { 'a.yaml': mapping('a') })
    const { source, domains } = await started(t, [path])
    await write(path, { '.a.yaml.swp': '\0', 'a.yaml~': 'x: [', '#a.yaml#': 'x: [', '.hidden.yaml': 'x: [' })
    for (const domain of ['b', 'c', 'd']) {
      await write(path, { '4913.tmp': mapping('a', `${domain}.example.com`) })
      await rename(join(path, '4913.tmp'), join(path, 'a.yaml'))
      await untilDomains(domains, [domain])
    }
    assert.equal(source.failure(), undefined)
    assert.equal(source.mappings()[0]?.generation, 4)
  })

  test('a single file as the path, replaced and removed', async (t) => {
    const path = join(await folder(t), 'all.yaml')
    await writeFile(path, mapping('a'))
    const { domains, failure } = await started(t, [path])
    await writeFile(`${path}.new`, mapping('b'))
    await rename(`${path}.new`, path)
    await untilDomains(domains, ['b'])
    await unlink(path)
    await until(() => assert.match(failure(), /all\.yaml: there is no such file/))
    assert.deepEqual(domains(), ['b'])
    await writeFile(path, mapping('c'))
    await untilDomains(domains, ['c'])
  })

  test('the mount of a ConfigMap: the link ..data is swapped', async (t) => {
    const path = await folder(t)
    const version = async (name: string, files: Record<string, string>) => {
      await mkdir(join(path, name))
      await write(join(path, name), files)
      await symlink(name, join(path, '..data_tmp'))
      await rename(join(path, '..data_tmp'), join(path, '..data'))
    }
    await version('..2030_01', { 'a.yaml': mapping('a') })
    await symlink('..data/a.yaml', join(path, 'a.yaml'))
    const { source, domains, told } = await started(t, [path])
    assert.deepEqual(domains(), ['a'])
    await version('..2030_02', { 'a.yaml': mapping('a', 'b.example.com') })
    await untilDomains(domains, ['b'])
    await rm(join(path, '..2030_01'), { recursive: true })
    await version('..2030_03', { 'a.yaml': mapping('a', 'c.example.com') })
    await untilDomains(domains, ['c'])
    assert.equal(source.failure(), undefined)
    assert.ok(told.length >= 2)
  })

  test('a link on the way is swapped, as git-sync does', async (t) => {
    const path = await folder(t)
    for (const name of ['one', 'two']) {
      await mkdir(join(path, name, 'domains'), { recursive: true })
      await write(path, { [`${name}/domains/a.yaml`]: mapping('a', `${name}.example.com`) })
    }
    await symlink('one', join(path, 'current'))
    const { domains } = await started(t, [join(path, 'current', 'domains')])
    assert.deepEqual(domains(), ['one'])
    await symlink('two', join(path, 'next'))
    await rename(join(path, 'next'), join(path, 'current'))
    await untilDomains(domains, ['two'])
  })

  test('folders that come, change and go', async (t) => {
    const path = await folder(t)
    await write(path, { 'a.yaml': mapping('a') })
    const { source, domains } = await started(t, [path])
    await mkdir(join(path, 'team/deep'), { recursive: true })
    await write(path, { 'team/deep/b.yaml': mapping('b') })
    await untilDomains(domains, ['a', 'b'])
    await write(path, {
      'team/deep/c.yml': mapping('c'),
      'team/d.json': JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [] }),
    })
    await untilDomains(domains, ['a', 'b', 'c'])
    await rm(join(path, 'team'), { recursive: true })
    await untilDomains(domains, ['a'])
    await mkdir(join(path, 'team'))
    await write(path, { 'team/e.yaml': mapping('e') })
    await untilDomains(domains, ['a', 'e'])
    assert.equal(source.failure(), undefined)
  })

  test('without events, the periodic look finds the change; after stop, nothing is told', async (t) => {
    const path = await folder(t)
    await write(path, { 'a.yaml': mapping('a') })
    const { source, domains, told } = await started(t, [path], { rescanMs: 100 })
    await write(path, { 'b.yaml': mapping('b') })
    await untilDomains(domains, ['a', 'b'])
    await source.stop()
    const before = told.length
    await write(path, { 'c.yaml': mapping('c') })
    await sleep(300)
    assert.equal(told.length, before)
    assert.equal(domains().length, 2)
  })

  test('one who fails at a change is told of the next', async (t) => {
    const path = await folder(t)
    await write(path, { 'a.yaml': mapping('a') })
    const logged: string[] = []
    const source = createManifestSource({ paths: [path], log: (level, message) => logged.push(`${level} ${message}`) })
    t.after(() => source.stop())
    let calls = 0
    await source.start(() => {
      calls++
      throw new Error('no')
    })
    await sleep(150)
    await write(path, { 'a.yaml': mapping('b') })
    await until(() => assert.equal(calls, 1))
    await write(path, { 'a.yaml': mapping('c') })
    await until(() => assert.equal(calls, 2))
    assert.deepEqual(new Set(logged), new Set(['error changed manifests were not taken up']))
  })
})

test('secrets of files, and the apps that use them are told', async (t) => {
  const path = await folder(t)
  const secret = (key: string) => `apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {apiKey: ${key}}\n`
  await write(path, {
    'apps.yaml': `${app('one', ', credentialsSecretRef: {name: s}')}---\n${app('two')}`,
    's.yaml': secret('first'),
  })
  const { source, told } = await started(t, [path])
  assert.equal(await source.secret('default', 's', 'apiKey'), 'first')
  assert.equal(await source.secret('default', 's', 'constructor'), undefined)
  assert.equal(await source.secret('other', 's', 'apiKey'), undefined)
  await write(path, { 's.yaml': secret('second') })
  await until(() => assert.deepEqual(told, [['default/one']]))
  assert.equal(await source.secret('default', 's', 'apiKey'), 'second')
})

test('the default app is there as long as no file declares one', async (t) => {
  const path = await folder(t)
  const spec = appDefaults('BBBBBBBBBBBBBBBB')
  assert.ok(spec)
  const defaultApp = {
    key: 'default/default',
    namespace: 'default',
    name: 'default',
    generation: 1,
    place: 'environment',
    labels: {},
    annotations: {},
    spec,
  }
  await write(path, { 'a.yaml': mapping('a', undefined, 'default') })
  const { source, told } = await started(t, [path], { defaultApp })
  assert.deepEqual(source.apps(), [defaultApp])
  assert.equal(source.mappingsOf(defaultApp).mappings.length, 1)
  await write(path, { 'app.yaml': app('default') })
  await until(() => assert.equal(source.app('default/default')?.spec.appId, 'AAAAAAAAAAAAAAAA'))
  assert.deepEqual(told.at(-1), ['default/default'])
  await write(path, { 'app.yaml': app('network'), 'x.yaml': 'x: [' })
  await until(() => assert.ok(source.app('default/network')))
  await until(() => assert.ok(source.failure()))
  // What a file said stays while the source fails; what the environment says gives way.
  assert.notEqual(source.app('default/default')?.place, 'environment')
})
