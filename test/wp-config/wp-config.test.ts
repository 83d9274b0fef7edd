import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { readWpConfig, type WpConfigRead, wpConfigFaultText } from '../../src/wp-config/wp-config.ts'

const PATH = '/var/www/wp-config.php'

type Environment = Record<string, string>

function read(text: string, environment: Environment = {}, files: Record<string, string> = {}): WpConfigRead {
  return readWpConfig(text, {
    path: PATH,
    environment,
    readFile: (path) => files[path] ?? assert.fail(`no file ${path}`),
  })
}

function config(text: string, environment: Environment = {}, files: Record<string, string> = {}) {
  const result = read(text, environment, files)
  assert.ok(result.ok, JSON.stringify(result))
  return result.config
}

function faults(text: string, environment: Environment = {}): string[] {
  const result = read(text, environment)
  assert.ok(!result.ok, 'it was read without a fault')
  return result.faults.map((fault) => wpConfigFaultText(PATH, fault))
}

/** The function of the image of Docker. */
const GETENV_DOCKER = `if (!function_exists('getenv_docker')) {
  function getenv_docker($env, $default) {
    if ($fileEnv = getenv($env . '_FILE')) return rtrim(file_get_contents($fileEnv), "\\r\\n");
    else if (($val = getenv($env)) !== false) return $val;
    else return $default;
  }
}`

/** The usual file, with lines of it replaced or added. */
const usual = (more = '', settings: Record<string, string> = {}): string => {
  const all = { DB_NAME: "'wordpress'", DB_USER: "'wp'", DB_PASSWORD: "'s3cret'", DB_HOST: "'localhost'", ...settings }
  const defines = Object.entries(all).map(([name, value]) => `define( '${name}', ${value} );`)
  return ['<?php', ...defines, "$table_prefix = 'wp_';", more, "require_once ABSPATH . 'wp-settings.php';"].join('\n')
}

describe('wp-config.php', () => {
  test('the sample of WordPress, with the constants of the plugin', () => {
    const text = usual(`
/**#@+ keys */
define( 'AUTH_KEY', 'put your unique phrase here' ); // a comment with define('DB_NAME', 'no')
# define('DB_NAME', 'neither')
/* define('DB_NAME', 'nor'); */
define( 'WP_DEBUG', false );
define('MULTISITE', true); define("SUBDOMAIN_INSTALL", true);
define('WU_SERVER_PILOT_CLIENT_ID', 'cid_0123456789ab');
define('WU_SERVER_PILOT_API_KEY', "k3y");
define('WU_SERVER_PILOT_APP_ID', 'AAAAAAAAAAAAAAAA');
if ( ! defined( 'ABSPATH' ) ) {
	define( 'ABSPATH', __DIR__ . '/' );
}`)
    assert.deepEqual(config(text), {
      database: { at: { host: 'localhost' }, user: 'wp', password: 's3cret', name: 'wordpress' },
      tablePrefix: 'wp_',
      serverpilot: { clientId: 'cid_0123456789ab', apiKey: 'k3y', appId: 'AAAAAAAAAAAAAAAA' },
    })
  })

  test('Windows line ends, a byte order mark, HTML before it, a closing tag after it', () => {
    const text = `\uFEFF${usual().replaceAll('\n', '\r\n')}\r\n?>\r\n`
    assert.equal(config(text).database.name, 'wordpress')
    assert.equal(config(`<!-- x -->\n${usual()}`).database.name, 'wordpress')
  })

  test('the image of Docker: variables, files that variables name, defaults', () => {
    const docker = usual('', {
      DB_NAME: "getenv_docker('WORDPRESS_DB_NAME', 'wordpress')",
      DB_USER: "getenv_docker('WORDPRESS_DB_USER', 'example username')",
      DB_PASSWORD: "getenv_docker('WORDPRESS_DB_PASSWORD', 'example password')",
      DB_HOST: "getenv_docker('WORDPRESS_DB_HOST', 'mysql')",
    })
      .replace("'wp_'", "getenv_docker('WORDPRESS_TABLE_PREFIX', 'wp_')")
      .replace('<?php', `<?php ${GETENV_DOCKER}`)
    const environment = { WORDPRESS_DB_USER: 'me', WORDPRESS_DB_PASSWORD_FILE: '/run/secrets/db' }
    const { database, tablePrefix } = config(docker, environment, { '/run/secrets/db': 'from-a-file\n' })
    assert.deepEqual(database, {
      at: { host: 'mysql' },
      user: 'me',
      password: 'from-a-file',
      name: 'wordpress',
    })
    assert.equal(tablePrefix, 'wp_')
  })

  test('Bedrock: Config::define and env()', () => {
    const text = `<?php
use Roots\\WPConfig\\Config;
use function Env\\env;
Config::define('DB_NAME', env('DB_NAME'));
Config::define('DB_USER', env('DB_USER'));
Config::define('DB_PASSWORD', env('DB_PASSWORD'));
Config::define('DB_HOST', env('DB_HOST') ?: 'localhost');
$table_prefix = env('DB_PREFIX') ?: 'wp_';
Config::apply();`
    const { database } = config(text, { DB_NAME: 'b', DB_USER: 'u', DB_PASSWORD: 'p' })
    assert.deepEqual([database.name, database.at.host], ['b', 'localhost'])
    assert.match(
      faults(text, { DB_NAME: 'b', DB_USER: 'u' })[0] ?? '',
      /DB_PASSWORD comes from the environment variable DB_PASSWORD, which is not set here/,
    )
  })

  test('what a condition decides: by what is defined, by the environment, or not at all', () => {
    const guarded = (test: string) =>
      usual(`if (${test}) { define('WU_SERVER_PILOT_APP_ID', 'A'); } else { define('WU_SERVER_PILOT_APP_ID', 'B'); }`)
    const appId = (test: string, environment: Environment = {}) => config(guarded(test), environment).serverpilot.appId
    assert.equal(appId("!defined('WU_SERVER_PILOT_APP_ID')"), 'A')
    assert.equal(appId("getenv('STAGE') === 'live'", { STAGE: 'live' }), 'A')
    assert.equal(appId("getenv('STAGE') === 'live'"), 'B')
    assert.equal(appId("isset($_ENV['STAGE'])"), 'B')
    assert.equal(appId("empty($_SERVER['STAGE']) && true"), 'A')
    const [fault, ...more] = faults(guarded("$_SERVER['HTTP_HOST'] === strtolower('X')"))
    assert.match(
      fault ?? '',
      /^\/var\/www\/wp-config\.php:7: WU_SERVER_PILOT_APP_ID cannot be known without running PHP: it depends on the condition in line 7/,
    )
    assert.deepEqual(more, [])
    const agreed = usual(
      "if (rand()) { define('WU_SERVER_PILOT_APP_ID', 'A'); } else { define('WU_SERVER_PILOT_APP_ID', 'A'); }",
    )
    assert.equal(config(agreed).serverpilot.appId, 'A')
  })

  test('the first definition counts, also with `or`', () => {
    const text = usual(
      "define('DB_NAME', 'second'); defined('DB_USER') || define('DB_USER', 'x'); defined('WU_SERVER_PILOT_APP_ID') or define('WU_SERVER_PILOT_APP_ID', 'A');",
    )
    const { database, serverpilot } = config(text)
    assert.deepEqual([database.name, database.user, serverpilot.appId], ['wordpress', 'wp', 'A'])
  })

  test('what PHP has to work out is named with its line, and no value is shown', () => {
    const text = usual('', { DB_PASSWORD: "decrypt('s3cret-cipher')", DB_HOST: '$host' })
    const all = faults(text)
    assert.match(
      all.join('\n'),
      /wp-config\.php:4: DB_PASSWORD cannot be known without running PHP: it calls decrypt\(\)/,
    )
    assert.match(all.join('\n'), /wp-config\.php:5: DB_HOST .*\$host is not set in this file/)
    assert.doesNotMatch(all.join('\n'), /s3cret/)
    const looped = usual("foreach (keys() as $x) { define('WU_SERVER_PILOT_API_KEY', 'k'); }")
    assert.match(faults(looped)[0] ?? '', /WU_SERVER_PILOT_API_KEY .*foreach/)
  })

  test('settings that stand in another file are looked for there by name', () => {
    const text =
      "<?php\nrequire __DIR__ . '/db-settings.php';\n$table_prefix = 'wp_';\nrequire ABSPATH . 'wp-settings.php';"
    assert.match(
      faults(text)[0] ?? '',
      /wp-config\.php:2: DB_HOST is not set in this file; perhaps in db-settings\.php/,
    )
  })

  test('a file that is not PHP: one fault with the line, nothing of its content', () => {
    const [fault, ...more] = faults("<?php\ndefine('DB_PASSWORD', 's3cret);\n")
    assert.match(
      fault ?? '',
      /^\/var\/www\/wp-config\.php:\d+: the file is not PHP that can be read: look at line \d+, where '\)' is missing$/,
    )
    assert.doesNotMatch(fault ?? '', /s3cret/)
    assert.deepEqual(more, [])
  })

  test('what the parser stumbles over is not shown', () => {
    const [fault] = faults("<?php\ndefine('DB_PASSWORD', 'a' 's3cret');\n")
    assert.equal(fault, `${PATH}:2: the file is not PHP that can be read: look at line 2, where ')' is missing`)
  })

  test('TLS asked for by MYSQL_CLIENT_FLAGS', () => {
    const flags = (value: string) => config(usual(`define('MYSQL_CLIENT_FLAGS', ${value});`)).database.tls
    assert.equal(flags('MYSQLI_CLIENT_SSL'), 'Required')
    assert.equal(flags('MYSQLI_CLIENT_SSL | MYSQLI_CLIENT_COMPRESS'), 'Required')
    assert.equal(flags('MYSQLI_CLIENT_SSL | MYSQLI_CLIENT_SSL_VERIFY_SERVER_CERT'), 'VerifyIdentity')
    assert.equal(flags('MYSQLI_CLIENT_SSL | MYSQLI_CLIENT_SSL_DONT_VERIFY_SERVER_CERT'), 'Required')
    assert.equal(flags('MYSQLI_CLIENT_COMPRESS'), undefined)
    assert.equal(
      config(usual("if (getenv('T')) define('MYSQL_CLIENT_FLAGS', MYSQLI_CLIENT_SSL);")).database.tls,
      undefined,
    )
    assert.match(
      faults(usual("define('MYSQL_CLIENT_FLAGS', flags());"))[0] ?? '',
      /:7: MYSQL_CLIENT_FLAGS .*calls flags\(\)/,
    )
  })

  test('no text makes it throw', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => usual(text)),
          fc.string().map((text) => usual(`define('X', ${text});`)),
        ),
        (text) => {
          read(text)
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('literals', () => {
  test('any string in single or double quotes', () => {
    const escaped = (text: string, special: RegExp) => text.replace(special, (found) => `\\${found}`)
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (secret) => {
        // The sign that stands for bytes that are not text.
        fc.pre(!secret.includes('\uFFFD'))
        const single = usual('', { DB_PASSWORD: `'${escaped(secret, /['\\]/g)}'` })
        assert.equal(config(single).database.password, secret)
        const double = usual('', { DB_PASSWORD: `"${escaped(secret, /["\\$]/g)}"` })
        assert.equal(config(double).database.password, secret)
      }),
      { numRuns: 500 },
    )
  })
})
