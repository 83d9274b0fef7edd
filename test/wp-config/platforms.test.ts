import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { parseDbHost } from '../../src/wp-config/db-host.ts'
import { readWpConfig, type WpConfig, wpConfigFaultText } from '../../src/wp-config/wp-config.ts'
import { temporaryFolder } from '../e2e/process.ts'
import { hasPhp } from './real-php.ts'

const run = promisify(execFile)
const HERE = import.meta.dirname
const NAMES = readdirSync(join(HERE, 'platforms')).map((file) => file.replace(/\.txt$/, ''))

/** A configuration with all its files. One of them may be its `environment`, one the names that are not known without running it (`refused`). */
interface Bundle {
  files: Map<string, string>
  environment: Record<string, string>
  refused: string[]
}

/** What PHP came to. */
interface Ran {
  constants: Record<string, string>
  prefix: string | null
}

function bundleOf(name: string, folder: string): Bundle {
  const parts = readFileSync(join(HERE, 'platforms', `${name}.txt`), 'utf8').split(/^#=== /m)
  const files = new Map(
    parts.slice(1).map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1)]),
  )
  const lines = (file: string) => (files.get(file) ?? '').split('\n').filter((line) => line !== '')
  const environment = Object.fromEntries(
    lines('environment').map((line) => {
      const at = line.indexOf('=')
      return [line.slice(0, at), line.slice(at + 1).replace(/^@/, folder)]
    }),
  )
  return { files, environment, refused: lines('refused') }
}

/** Writes the files of a bundle, with what stands in for WordPress and for Composer. */
async function unpack({ files }: Bundle, folder: string): Promise<void> {
  for (const [path, text] of files) {
    if (['environment', 'refused', 'vendor'].includes(path)) continue
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  await cp(join(HERE, 'platform-settings.php'), join(folder, 'wp-settings.php'))
  await mkdir(join(folder, 'vendor'), { recursive: true })
  if (files.has('vendor')) await cp(join(HERE, 'platform-vendor.php'), join(folder, 'vendor/autoload.php'))
}

async function asPhp(folder: string, environment: Record<string, string>): Promise<Ran> {
  const file = join(folder, 'wp-config.php')
  const { stdout } = await run('php', ['-d', 'variables_order=EGPCS', join(HERE, 'platform.php'), file], {
    cwd: folder,
    env: { PATH: process.env.PATH, ...environment },
  })
  return JSON.parse(stdout.slice(stdout.lastIndexOf('\n') + 1))
}

/** What PHP came to, as this reader gives it. */
function expected({
  constants: { DB_NAME = '', DB_USER = '', DB_PASSWORD = '', DB_HOST = '', ...more },
  prefix,
}: Ran): WpConfig {
  const flags = Number(more.MYSQL_CLIENT_FLAGS ?? 0)
  const [clientId, apiKey, appId] = ['CLIENT_ID', 'API_KEY', 'APP_ID'].map((each) => more[`WU_SERVER_PILOT_${each}`])
  const tls =
    (flags & 2048) === 0 ? {} : { tls: (flags & (2 ** 30)) === 0 ? ('Required' as const) : ('VerifyIdentity' as const) }
  return {
    database: {
      at: parseDbHost(DB_HOST) ?? assert.fail(DB_HOST),
      user: DB_USER,
      password: DB_PASSWORD,
      name: DB_NAME,
      ...tls,
    },
    tablePrefix: prefix ?? '',
    serverpilot: { ...(clientId && { clientId }), ...(apiKey && { apiKey }), ...(appId && { appId }) },
  }
}

async function judge(t: TestContext, name: string): Promise<void> {
  if (!(await hasPhp(t))) return
  const folder = await temporaryFolder(t)
  const bundle = bundleOf(name, folder)
  await unpack(bundle, folder)
  const { environment, refused } = bundle
  const path = join(folder, 'wp-config.php')
  const readFile = (file: string) => readFileSync(file, 'utf8')
  const result = readWpConfig(readFile(path), { path, environment, readFile })
  const ran = await asPhp(folder, environment)
  if (result.ok) {
    assert.deepEqual(result.config, expected(ran))
    assert.deepEqual(refused, [], 'it is read, against what the bundle says')
    return
  }
  const texts = result.faults.map((fault) => wpConfigFaultText(path, fault).replaceAll(folder, ''))
  assert.deepEqual(
    refused.filter((each) => !result.faults.some((fault) => fault.name === each)),
    [],
    texts.join('\n'),
  )
  assert.notDeepEqual(refused, [], `it is refused:\n${texts.join('\n')}`)
  for (const text of texts)
    assert.match(text, /\.php:\d+: .*(WORDPRESS_DATABASE_URL|--wordpress-table-prefix|SERVERPILOT_)/s)
}

describe('configurations in the shapes of platforms, judged against PHP: the same values, or a refusal with line and way out', () => {
  test(`there are sixty of them at least, and four of five can be read`, (t) => {
    const refused = NAMES.filter((name) => bundleOf(name, '').refused.length > 0).length
    t.diagnostic(`${NAMES.length} configurations, ${NAMES.length - refused} read, ${refused} refused`)
    assert.ok(NAMES.length >= 60)
    assert.ok(refused * 10 < NAMES.length * 2)
  })

  for (const name of NAMES) test(name, (t) => judge(t, name))
})
