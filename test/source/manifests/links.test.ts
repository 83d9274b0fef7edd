import assert from 'node:assert/strict'
import { mkdir, rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { systemFiles } from '../../../src/files/file-system.ts'
import { list } from '../../../src/source/manifests/listing.ts'
import { folder, mapping, started, until, untilDomains, write } from './folder.ts'

/** What a change may take to be seen; ms. */
const SOON = 2000

/** Puts a link at a path, or another in its place as deployments do: made beside it and renamed over it. */
async function link(target: string, path: string): Promise<void> {
  await symlink(target, `${path}_tmp`)
  await rename(`${path}_tmp`, path)
}

/** Folders `one` and `two`, each with a mapping of that name, at a place of their own. */
async function releases(t: TestContext): Promise<string> {
  const path = await folder(t)
  for (const name of ['one', 'two']) {
    await mkdir(join(path, 'releases', name, 'domains'), { recursive: true })
    await write(join(path, 'releases', name, 'domains'), { 'a.yaml': mapping('a', `${name}.example.com`) })
  }
  await mkdir(join(path, 'etc'))
  return path
}

/** Ways to the objects whose link `current` stands in the middle: links made, and what is given as the path. */
const WAYS: Record<string, { make: (path: string) => Promise<void>; given: string }> = {
  'a file, its link leads through the middle one': {
    given: 'etc/a.yaml',
    make: (path) => link('../releases/current/domains/a.yaml', join(path, 'etc/a.yaml')),
  },
  'a folder, its link leads to the middle one': {
    given: 'etc/domains',
    make: (path) => link(join(path, 'releases/current/domains'), join(path, 'etc/domains')),
  },
  'a file in a folder, as of a ConfigMap': {
    given: 'etc',
    make: (path) => link('../releases/current/domains/a.yaml', join(path, 'etc/a.yaml')),
  },
  'a folder in a folder': {
    given: 'etc',
    make: (path) => link('../releases/current/domains', join(path, 'etc/team')),
  },
  'three links in a row, and back up in the middle': {
    given: 'etc/a.yaml',
    async make(path) {
      await link('second.yaml', join(path, 'etc/a.yaml'))
      await link('../etc/../releases/third/a.yaml', join(path, 'etc/second.yaml'))
      await link('current/domains', join(path, 'releases/third'))
    },
  },
}

describe('a-link-in-the-middle', () => {
  for (const [what, { make, given }] of Object.entries(WAYS)) {
    test(`${what}: its swap is seen at once`, async (t) => {
      const path = await releases(t)
      const current = join(path, 'releases/current')
      await link('one', current)
      await make(path)
      const { domains, failure } = await started(t, [join(path, given)])
      assert.deepEqual(domains(), ['one'])
      await link('two', current)
      await until(() => assert.deepEqual(domains(), ['two']), SOON)
      // A way that was found after the first swap is watched as well.
      await link('one', current)
      await until(() => assert.deepEqual(domains(), ['one']), SOON)
      await rm(current)
      await until(() => assert.notEqual(failure(), ''), SOON)
      assert.deepEqual(domains(), ['one'])
      await link('two', current)
      await until(() => assert.deepEqual(domains(), ['two']), SOON)
      assert.equal(failure(), '')
    })
  }

  test('a mount of a ConfigMap, one file of it named as the path', async (t) => {
    const path = await folder(t)
    for (const [name, domain] of [
      ['..ts1', 'one'],
      ['..ts2', 'two'],
    ] as const) {
      await mkdir(join(path, name))
      await write(join(path, name), { 'x.yaml': mapping('a', `${domain}.example.com`) })
    }
    await link('..ts1', join(path, '..data'))
    await link('..data/x.yaml', join(path, 'x.yaml'))
    const { domains } = await started(t, [join(path, 'x.yaml')])
    await link('..ts2', join(path, '..data'))
    await until(() => assert.deepEqual(domains(), ['two']), SOON)
  })

  test('links in a circle end, are told, and are followed once they are mended', async (t) => {
    const path = await folder(t)
    await link('b.yaml', join(path, 'a.yaml'))
    await link('c.yaml', join(path, 'b.yaml'))
    await link('a.yaml', join(path, 'c.yaml'))
    const { domains, failure } = await started(t, [join(path, 'a.yaml')])
    assert.match(failure(), /circle/)
    await rm(join(path, 'c.yaml'))
    await write(path, { 'c.yaml': mapping('a', 'c.example.com') })
    await untilDomains(domains, ['c'])
  })

  test('each step of many ways is looked at once', async (t) => {
    const path = await folder(t)
    await mkdir(join(path, 'real/deep/deeper'), { recursive: true })
    await mkdir(join(path, 'links'))
    const names = Array.from({ length: 100 }, (_, index) => `m${index}.yaml`)
    for (const name of names) {
      await write(join(path, 'real/deep/deeper'), { [name]: mapping('a') })
      await symlink(`../real/deep/deeper/${name}`, join(path, 'links', name))
    }
    let looks = 0
    const lstat = ((file: string) => {
      looks++
      return systemFiles.lstat(file)
    }) as typeof systemFiles.lstat
    const { files } = await list([join(path, 'links')], { ...systemFiles, lstat })
    assert.equal(files.length, names.length)
    assert.ok(looks < 2 * names.length + 30, `${looks} looks`)
  })
})
