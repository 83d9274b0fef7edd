import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cp, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, '..')

/** Builds a copy of the sources in a folder of its own; gives the digest of each file of dist/. */
async function build(t: TestContext): Promise<Record<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'domainpilot-build-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  for (const name of ['src', 'scripts', 'package.json', 'tsconfig.json'])
    await cp(join(ROOT, name), join(folder, name), { recursive: true })
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  await run(process.execPath, ['scripts/build.ts'], { cwd: folder })
  const dist = join(folder, 'dist')
  const files = (await readdir(dist, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  const digests = files.map(async ({ parentPath, name }) => {
    const path = join(parentPath, name)
    return [
      path.slice(dist.length),
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex'),
    ] as const
  })
  return Object.fromEntries(await Promise.all(digests))
}

test('two builds of the same tree give the same bytes', async (t) => {
  const first = await build(t)
  assert.ok('/main.js' in first)
  assert.deepEqual(await build(t), first)
})
