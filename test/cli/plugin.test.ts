import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { buildProgram } from '../../src/cli/program.ts'
import type { Io } from '../../src/setup/io.ts'
import { silentIo } from './silent-io.ts'

const run = promisify(execFile)

async function call(plugin: boolean, args: string[], environment: Record<string, string> = {}) {
  let [out, err, status] = ['', '', -1]
  const io: Io = {
    ...silentIo(),
    environment,
    out: (text) => {
      out += text
    },
    err: (text) => {
      err += text
    },
    plugin,
  }
  const program = buildProgram(io, (code) => {
    status = code
  })
  const failure = await program.parseAsync(args, { from: 'user' }).then(
    () => undefined,
    (error: Error) => error.message,
  )
  return { out, err, status, failure }
}

test('help speaks of kubectl domainpilot', async () => {
  const { out } = await call(true, ['plan', '--help'])
  assert.match(out, /Usage: kubectl domainpilot plan/)
  assert.match(out, /-n, --namespace <NS>/)
  assert.match(out, /-A, --all-namespaces/)
})

test('beside kubectl the source is the cluster, unless something else is said', async () => {
  const cluster = await call(true, ['approve', 'network', 'x'])
  assert.match(cluster.failure ?? '', /there is no cluster to talk to/)
  const files = await call(true, ['approve', 'network', 'x'], { DOMAINPILOT_SOURCE: 'manifests' })
  assert.match(files.failure ?? '', /approve annotates an app in a cluster/)
  assert.match((await call(false, ['approve', 'network', 'x'])).failure ?? '', /approve annotates an app in a cluster/)
})

test('kubectl gets commands and flags from the completion script', async () => {
  const { out } = await call(true, ['completion', 'bash'])
  const complete = async (...words: string[]) => (await run('sh', ['-c', out, 'complete', ...words])).stdout.split('\n')
  assert.deepEqual(await complete('ap'), ['apply', 'approve', ':4', ''])
  assert.deepEqual(await complete('approve', 'network', '--w'), ['--wait', ':4', ''])
  assert.deepEqual(await complete('nonsense', '--'), [':4', ''])
})

test('the shells complete approve too', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) assert.match((await call(false, ['completion', shell])).out, /approve/)
})
