import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { parseDbHost } from '../../src/wp-config/db-host.ts'
import { readWpConfig, type WpConfig, wpConfigFaultText } from '../../src/wp-config/wp-config.ts'
import { temporaryFolder } from '../e2e/process.ts'

const REST =
  "define('DB_USER', 'u'); define('DB_PASSWORD', 'p'); define('DB_HOST', 'h');\nrequire ABSPATH . 'wp-settings.php';\n"

/** A wp-config.php with the files beside it, read. */
async function read(
  t: TestContext,
  text: string,
  { files = {}, environment = {} }: { files?: Record<string, string>; environment?: Record<string, string> } = {},
): Promise<WpConfig | string> {
  const folder = await temporaryFolder(t)
  for (const [path, content] of Object.entries({ ...files, 'wp-config.php': text, 'wp-settings.php': '<?php' })) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }
  const path = join(folder, 'wp-config.php')
  const result = readWpConfig(text, { path, environment, readFile: (file) => readFileSync(file, 'utf8') })
  if (result.ok) return result.config
  return result.faults.map((fault) => wpConfigFaultText(path, fault).replaceAll(`${folder}/`, '')).join('\n')
}

async function config(...args: Parameters<typeof read>): Promise<WpConfig> {
  const found = await read(...args)
  return typeof found === 'string' ? assert.fail(found) : found
}

test('the-first-define-wins', async (t) => {
  const define = "define('DB_NAME', 'prod'); $table_prefix = 'wp_';"
  const local = "<?php\ndefine('DB_NAME', 'staging');\n$table_prefix = 'local_';\n"
  const before = `<?php\nrequire __DIR__.'/local.php';\n${define}\n${REST}`
  const found = await config(t, before, { files: { 'local.php': local } })
  assert.deepEqual([found.database.name, found.tablePrefix], ['staging', 'wp_'])

  const behind = `<?php\n${define}\nrequire __DIR__.'/local.php';\n${REST}`
  const later = await config(t, behind, { files: { 'local.php': local } })
  assert.deepEqual([later.database.name, later.tablePrefix], ['prod', 'local_'])

  for (const [text, wanted] of [
    [
      before,
      /^wp-config\.php:3: DB_NAME cannot be known .*it may be defined before, in local\.php, which line 2 includes/m,
    ],
    [
      behind,
      /^wp-config\.php:3: \$table_prefix cannot be known .*it may be changed in local\.php, which line 3 includes/m,
    ],
    [
      before.replace("__DIR__.'/local.php'", "'/etc/' . gethostname() . '.php'"),
      /DB_NAME cannot be known .*which line 2 includes/,
    ],
    [before.replace('require', 'include'), /DB_NAME cannot be known .*in local\.php/],
  ] as const) {
    const refused = await read(t, text)
    assert.ok(typeof refused === 'string')
    assert.match(refused, wanted)
    assert.match(refused, /WORDPRESS_DATABASE_URL|--wordpress-table-prefix/)
  }

  const own = `<?php\nfunction env($k) { return "own $k"; }\ndefine('DB_NAME', env('NAME'));\n$table_prefix = 'wp_';\n${REST}`
  assert.equal((await config(t, own, { environment: { NAME: 'of the environment' } })).database.name, 'own NAME')

  const unread = "<?php\ndefine('DB_NAME', decrypt('x'));\n"
  const fault = await read(t, before, { files: { 'local.php': unread } })
  assert.ok(typeof fault === 'string')
  assert.match(fault, /^local\.php:2: DB_NAME cannot be known without running PHP: it calls decrypt\(\)/m)
})

test('php-of-today', async (t) => {
  const found = await config(
    t,
    `<?php
#[\\NoDiscard] function noted(): int { return 1; }
$count = new ArrayObject([1])->count();
$text = ' a ' |> trim(...) |> strtoupper(...) |> (fn($x) => $x . '!');
abstract class Settings {
  public private(set) string $name = 'x';
  public string $prefix { get => strtolower($this->name); set(string $value) { $this->name = $value; } }
  abstract public string $host { get; }
  final const string STAGE = 'live';
}
$copy = clone($count, ['x' => 1]);
(void) strlen("x");
(static fn() => 1)();
static fn() => 2;
const NAME = 'to' . 'day';
enum Stage: string { case Live = 'live'; const DEFAULT = self::Live; }
$first = array_first([1, 2]);
define('DB_NAME', NAME);
$table_prefix = 'wp_';
${REST}`,
  )
  assert.equal(found.database.name, 'today')
})

test('db-host-as-wordpress-reads-it', () => {
  assert.deepEqual(parseDbHost('localhost:3306/path.sock'), { host: 'localhost', port: 3306 })
  assert.deepEqual(parseDbHost('h:'), { host: 'h' })
  assert.deepEqual(parseDbHost('h:port'), { host: 'h' })
  assert.deepEqual(parseDbHost('h:3307x'), { host: 'h', port: 3307 })
  assert.deepEqual(parseDbHost('h/x'), { host: 'h' })
  assert.deepEqual(parseDbHost('h:0'), { host: 'h' })
  assert.deepEqual(parseDbHost('h:3307:/run/my.sock'), { host: 'h', port: 3307, socket: '/run/my.sock' })
  assert.deepEqual(parseDbHost('[::1]x'), { host: '::1' })
})
