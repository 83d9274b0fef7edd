import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { objectYaml } from '../controller/world.ts'
import { createBench } from './bench.ts'

const BOTH = 'xn--bcher-kva.example.com (bücher.example.com)'
const SPELLINGS = ['bücher.example.com', 'BÜCHER.example.com.', 'bu\u0308cher.example.com', 'xn--bcher-kva.example.com']

test('unicode-names-are-found: explain, check and status know a name in every spelling and show both forms', async (t) => {
  const bench = await createBench(t, ['by-hand.example.org', 'bücher.example.org'])
  const map = (name: string, domain: string) =>
    writeFile(
      join(bench.folder, `${name}.yaml`),
      objectYaml('DomainMapping', name, { domain, appRef: { name: 'network' } }),
    )
  await map('books', 'bücher.example.com')
  await map('url', 'https://müller.example.com/shop')
  assert.equal((await bench.command(['apply'])).status, 1, 'a domain that is written wrongly')
  for (const spelling of SPELLINGS) {
    const explained = await bench.command(['explain', spelling])
    assert.equal(explained.status, 0, explained.stderr)
    assert.ok(explained.stdout.startsWith(`${BOTH}\n`), explained.stdout)
    assert.match(explained.stdout, /wanted by {2}wordpress\/books[\s\S]*held by {4}wordpress\/books \(Held\)/)
  }
  const foreign = await bench.command(['explain', 'bücher.example.org'])
  assert.match(foreign.stdout, /stands {5}on the app, foreign/)
  const url = await bench.command(['explain', 'müller.example.com'])
  assert.match(url.stdout, /wanted by {2}wordpress\/url/, 'a domain that is written wrongly')
  const none = await bench.command(['explain', 'straße.example.com'])
  assert.match(none.stdout, /^xn--strae-oqa\.example\.com \(straße\.example\.com\)\n {2}No mapping wants it/)
  const checked = await bench.command([
    'check',
    'bücher.example.com',
    '--check-served=false',
    '--dns-servers',
    '127.0.0.1:9',
  ])
  assert.ok(checked.stdout.includes(`${BOTH}`), checked.stdout)
  assert.match(checked.stdout, /on app wordpress\/network/)
  const status = await bench.command(['status'])
  assert.ok(status.stdout.includes(BOTH), status.stdout)
})
