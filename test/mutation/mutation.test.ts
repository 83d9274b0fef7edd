import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Mutant, mutants, sourceOf } from './mutants.ts'

const ROOT = join(import.meta.dirname, '../..')

/** Folders that each tree has copies of, so that its tests meet its own code. All else is linked. */
const COPIED = [
  'src/api/policy.ts',
  'src/plan',
  'src/controller/app/ssl-state.ts',
  'test/plan',
  'test/controller/app/ssl-state.test.ts',
]

test('every change of what decides is noticed by a test of what it does', (t) => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'mutants-')))
  t.after(() => rmSync(folder, { recursive: true }))
  const all = mutants()
  assert.ok(all.length > 150, `${all.length} mutants`)
  const control: Mutant = {
    ...(all[0] as Mutant),
    to: all[0]?.from ?? '',
    tests: [...new Set(all.flatMap((each) => each.tests))],
  }
  const trees = [control, ...all].map((mutant, index) => ({ mutant, place: join(folder, String(index)) }))
  for (const { mutant, place } of trees) grow(place, mutant)
  const failed = failures(t, trees)
  const caught = trees.map(({ place }) => failed.some((file) => file.startsWith(`${place}/`)))
  assert.equal(caught[0], false, 'the code as it is fails')
  const survivors = all.filter((_, index) => !caught[index + 1])
  assert.deepEqual(
    survivors.map(({ file, from, to }) => `${file}: ${from} -> ${to}`),
    [],
  )
})

/** A tree with one file changed. */
function grow(place: string, { file, from, to }: Mutant): void {
  const text = sourceOf(file)
  assert.equal(text.split(from).length, 2, `${file} has to have this once: ${from}`)
  for (const path of COPIED) {
    mkdirSync(dirname(join(place, path)), { recursive: true })
    cpSync(join(ROOT, path), join(place, path), { recursive: true })
  }
  for (const path of ['', 'src', 'src/api', 'src/controller', 'src/controller/app', 'test']) link(place, path)
  writeFileSync(
    join(place, 'src', file),
    text.replace(from, () => to),
  )
}

/** Links what the tree lacks in a folder. */
function link(place: string, path: string): void {
  const there = new Set(readdirSync(join(place, path)))
  for (const name of readdirSync(join(ROOT, path)))
    if (!there.has(name)) symlinkSync(join(ROOT, path, name), join(place, path, name))
}

/** Runs the tests of all trees in one process; gives the files with a failure. */
function failures(t: TestContext, trees: readonly { mutant: Mutant; place: string }[]): string[] {
  const files = trees.flatMap(({ mutant, place }) => mutant.tests.map((file) => join(place, 'test', file)))
  const reporter = join(import.meta.dirname, 'failures.ts')
  // A test file that runs others is told that it must not; it does not have to know.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const run = spawnSync(
    process.execPath,
    ['--test', '--test-isolation=none', `--test-reporter=${reporter}`, ...files],
    { env, encoding: 'utf8', timeout: 480_000, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 * 1024 },
  )
  t.diagnostic(`${trees.length - 1} mutants`)
  assert.equal(run.signal, null, run.stderr)
  return run.stdout.split('\n').filter((line) => line !== '')
}
