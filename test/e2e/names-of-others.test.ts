import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { importText, wpConfigTemplate } from '../../src/cli/import-text.ts'
import { objectYaml } from '../controller/world.ts'
import { type Bench, createBench } from './bench.ts'
import { execute, launch, until } from './process.ts'

/** What a terminal, a reader of YAML or a reader of lines could take for more than a name. */
const EVIL = [
  'a\x1b[2J\x1b]0;title\x07b',
  'a\n---\napiVersion: domainpilot.dev/v1alpha1\nkind: DomainMapping\nmetadata: {name: planted}\n',
  'a\r---\rkind: Secret',
  'a\u0085---\u2028kind: Secret\u2029',
  'a\u009b31mb',
  'a\u202eb',
  'a\nok    app wordpress/network: all is well',
]
/** All but the line feeds that we write ourselves. */
const CONTROL = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/

function assertText(what: string, text: string): void {
  const at = text.search(CONTROL)
  assert.equal(at, -1, `${what}: ${JSON.stringify(text.slice(Math.max(0, at - 40), at + 40))}`)
  assert.doesNotMatch(text, /^(---|kind: Secret|ok {4}app wordpress\/network: all is well)/m, what)
}

const simulatorOf = (evil: string) => ({
  apps: [{ name: `net${evil}`, domains: ['shop.example.com', evil, `${evil}.example.org`] }],
  servers: [{ name: `web${evil}`, plan: `business${evil}`, lastaddress: '198.51.100.10' }],
})

async function evilBench(t: TestContext, evil: string): Promise<Bench> {
  const bench = await createBench(t, [], simulatorOf(evil))
  await bench.map('shop')
  await bench.map('bad', { domain: evil })
  return bench
}

const DNS = ['--dns-servers', '127.0.0.1:9']

describe('names-of-others-are-text', { concurrency: 2 }, () => {
  test('commands print them on their line, escaped', async (t) => {
    const evil = EVIL.join('')
    const bench = await evilBench(t, evil)
    const commands = ['plan', 'check', 'explain shop.example.com', 'apply', 'status --fresh', 'plan -o json']
    for (const line of [...commands, 'check -o json', 'status --fresh -o json', 'check shop.example.com --dns']) {
      const args = line.split(' ').flatMap((word) => (word === '--dns' ? DNS : [word]))
      const { stdout, stderr } = await bench.command(args)
      assertText(line, stdout)
      assertText(line, stderr)
      // In JSON a name is what it is.
      if (args.includes('json')) JSON.parse(stdout)
      if (line === 'check') assert.match(stdout, /is "neta\\u001b[^"]+"\n/)
    }
    const spec = { [evil]: evil, domain: 'x', appRef: { name: evil } }
    await writeFile(join(bench.folder, 'broken.yaml'), objectYaml('DomainMapping', `x${evil}`, spec))
    for (const command of ['validate', 'validate -o json']) {
      const { status, stdout } = await execute(t, [...command.split(' '), bench.folder])
      assert.equal(status, 1)
      assertText(command, stdout)
    }
  })

  test('import gives one app and one mapping a host, whatever the names say', async (t) => {
    const bench = await createBench(t, [], simulatorOf(EVIL.join('')))
    const { status, stdout } = await bench.command(['import'])
    assert.equal(status, 0)
    assertText('import', stdout.replaceAll(/^---$/gm, ''))
    const kinds = parseAllDocuments(stdout).map((each) => (each.toJS() as { kind: string }).kind)
    assert.deepEqual(kinds, ['ServerPilotApp', 'DomainMapping'])
  })

  test('an id that is not one, and a secret with such characters, stand quoted and whole in YAML', () => {
    for (const evil of EVIL) {
      const app = { id: evil, name: evil, serverId: 's', domains: [evil], ssl: null }
      const credentials = { clientId: `cid_${evil}`, apiKey: evil }
      for (const text of [importText([app]), wpConfigTemplate({ credentials })]) {
        assert.doesNotMatch(text, CONTROL)
        const documents = parseAllDocuments(text).map((each) => each.toJS() as Record<string, Record<string, unknown>>)
        const kinds = documents.map((each) => each.kind)
        if (documents.length === 1) assert.deepEqual([kinds, documents[0]?.spec?.appId], [['ServerPilotApp'], evil])
        else assert.deepEqual([kinds, documents[0]?.stringData], [['Secret', 'ServerPilotApp'], credentials])
      }
    }
  })

  test('a daemon logs them, keeps them and shows them as text', async (t) => {
    const bench = await evilBench(t, EVIL.join(''))
    const state = join(bench.root, 'state')
    const args = ['run', '--manifests', bench.folder, '--state-dir', state, '--serverpilot-url', bench.simulator.url]
    const env = { SERVERPILOT_CLIENT_ID: bench.simulator.clientId, SERVERPILOT_API_KEY: bench.simulator.apiKey }
    const daemon = launch(t, [...args, '--listen', 'off', '--log-format', 'text', '--log-level', 'debug'], { env })
    const written = await until('a status', async () => {
      const text = await readFile(join(state, 'status.json'), 'utf8').catch(() => '')
      return text.includes('InvalidDomain') ? text : undefined
    })
    daemon.child.kill('SIGTERM')
    assertText('the log', (await daemon.ended()).stderr)
    const { mappings } = JSON.parse(written) as { mappings: { conditions: { message: string }[] }[] }
    for (const { message } of mappings.flatMap(({ conditions }) => conditions)) assertText('a condition', message)
    assertText('status', (await bench.command(['status'])).stdout)
    assertText('status -o json', (await bench.command(['status', '-o', 'json'])).stdout)
  })
})
