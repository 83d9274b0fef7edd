import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readWpConfig, wpConfigFaultText } from '../../src/wp-config/wp-config.ts'

const SECRET = 's3cret'

/** The fault of a file whose password, on the last line, is set by `lines`; 'read: …' when there is none. */
function outcome(lines: string, environment: Record<string, string> = {}): string {
  const head = "<?php define('DB_NAME', 'n'); define('DB_USER', 'u'); define('DB_HOST', 'h'); $table_prefix = 'wp_';\n"
  const result = readWpConfig(head + lines, { path: '/w/wp-config.php', environment, readFile: () => assert.fail() })
  if (result.ok) return `read: ${result.config.database.password}`
  return result.faults.map((fault) => wpConfigFaultText('/w/wp-config.php', fault)).join('\n')
}

describe('what is not certain is a fault, never a guess', () => {
  const UNCERTAIN: readonly (readonly [string, string, RegExp])[] = [
    [
      'a guard behind a file that may define it',
      `require 'local.php';\ndefined('DB_PASSWORD') || define('DB_PASSWORD', '${SECRET}');`,
      /:3: DB_PASSWORD .*may be defined in local\.php, which line 2 includes/,
    ],
    [
      'a definition behind a file that may define it first',
      `require 'local.php'; define('DB_PASSWORD', '${SECRET}');`,
      /:2: DB_PASSWORD .*may be defined before, in local\.php, which line 2 includes/,
    ],
    [
      'a guard behind a file that is perhaps included',
      `if (file_exists('local.php')) { include 'local.php'; }\nif (!defined('DB_PASSWORD')) define('DB_PASSWORD', '${SECRET}');`,
      /:3: DB_PASSWORD .*condition in line 3: DB_PASSWORD may be defined in local\.php, which line 2 includes/,
    ],
    [
      'a default of a variable that an included file may set',
      `require 'secrets.php';\ndefine('DB_PASSWORD', $password ?? '${SECRET}');`,
      /:3: DB_PASSWORD .*\$password may be set in secrets\.php, which line 2 includes/,
    ],
    [
      'the host of the request',
      `define('DB_PASSWORD', $_SERVER['HTTP_HOST'] === 'live.example' ? '${SECRET}' : 'test');`,
      /:2: DB_PASSWORD .*it depends on the request/,
    ],
    [
      'a branch by the host of the request',
      `if (isset($_SERVER['SERVER_NAME']) && $_SERVER['SERVER_NAME'] == 'a') { define('DB_PASSWORD', '${SECRET}'); } else { define('DB_PASSWORD', 'b'); }`,
      /:2: DB_PASSWORD .*condition in line 2: it depends on the request/,
    ],
    [
      'what a loop sets',
      `$p = '${SECRET}'; foreach (names() as $p) {}\ndefine('DB_PASSWORD', $p);`,
      /:2: .*in a foreach/,
    ],
    [
      'what a reference sets',
      `$p = '${SECRET}'; $q = &$p; $q = 'new';\ndefine('DB_PASSWORD', $p);`,
      /:2: DB_PASSWORD .*by reference/,
    ],
    [
      'what both ways of a condition take away',
      `$p = '${SECRET}'; if (rand()) { unset($p); } else { unset($p); }\ndefine('DB_PASSWORD', $p);`,
      /:3: DB_PASSWORD .*\$p is not set in this file/,
    ],
    [
      'what a list sets',
      `$p = '${SECRET}'; [$p] = names();\ndefine('DB_PASSWORD', $p);`,
      /:2: DB_PASSWORD .*assigned in parts/,
    ],
    [
      'what a function sets',
      `$p = '${SECRET}'; extract(settings());\ndefine('DB_PASSWORD', $p);`,
      /extract\(\) may change/,
    ],
    [
      'a name that is worked out',
      `foreach (settings() as $name => $value) define($name, $value);`,
      /:2: DB_PASSWORD is not seen to be set in this file; perhaps by the define\(\) in line 2/,
    ],
    [
      'what stands behind a return that may have been reached',
      `if (rand()) return;\ndefine('DB_PASSWORD', '${SECRET}');`,
      /:3: DB_PASSWORD .*after the return in line 2/,
    ],
    [
      'a default where a .env file is loaded',
      `$dotenv->load();\ndefine('DB_PASSWORD', getenv('P') ?: '${SECRET}');`,
      /:3: DB_PASSWORD .*variable P may stand in a file that line 2 loads/,
    ],
    [
      'what is set behind a reference',
      `$q = &$p; $p = '${SECRET}'; $q = 'new';\ndefine('DB_PASSWORD', $p);`,
      /:2: DB_PASSWORD .*\$p has another name, by reference/,
    ],
    [
      'what an expression sets that is not followed to its end',
      `$p = '${SECRET}'; define('X', name() && ($p = 'new'));\ndefine('DB_PASSWORD', $p);`,
      /:2: DB_PASSWORD .*calls name\(\)/,
    ],
    [
      'a default of what is made of an unset variable',
      `define('DB_PASSWORD', ($p . 'x') ?? '${SECRET}');`,
      /:2: DB_PASSWORD .*\$p is not set in this file/,
    ],
    [
      'what is made of a variable that is not set here',
      `define('DB_PASSWORD', trim(getenv('PART')));`,
      /:2: DB_PASSWORD comes from the environment variable PART/,
    ],
    [
      'what is called by another name',
      `$f = define(...); $f('DB_PASSWORD', 'x'); define('DB_PASSWORD', '${SECRET}');`,
      /:2: DB_PASSWORD .*may be defined before, by what is called in line 2/,
    ],
    [
      'a method that is handed on',
      `class C { static function m() { define('DB_PASSWORD', 'x'); } } call_user_func(['C', 'm']); define('DB_PASSWORD', '${SECRET}');`,
      /:2: DB_PASSWORD .*in a function that is not followed/,
    ],
    [
      'what a loop sets by reference',
      `$a = ['${SECRET}']; foreach ($a as &$v) { $v .= '1'; }\ndefine('DB_PASSWORD', $a[0]);`,
      /:2: DB_PASSWORD .*\$a has another name, by reference/,
    ],
    [
      'what a goto passes over',
      `$p = '${SECRET}'; goto end; $p = 'x'; end:\ndefine('DB_PASSWORD', $p);`,
      /:3: DB_PASSWORD .*after the return in line 2|:2: DB_PASSWORD .*goto/,
    ],
    [
      'a file whose path begins elsewhere',
      `chdir('/tmp'); require 'local.php'; define('DB_PASSWORD', '${SECRET}');`,
      /:2: DB_PASSWORD .*may be defined before, in local\.php/,
    ],
    [
      'bytes that are not text',
      `define('DB_PASSWORD', "${SECRET}\\xff");`,
      /:2: DB_PASSWORD .*bytes that are not UTF-8/,
    ],
    ['a file in another encoding', `define('DB_PASSWORD', '${SECRET}\uFFFD');`, /:2: DB_PASSWORD .*not UTF-8/],
    [
      'a password that lacks its quotes',
      `define('DB_PASSWORD', ${SECRET});`,
      /:2: DB_PASSWORD .*names a constant that is not/,
    ],
    [
      'a "$" in double quotes',
      `define('DB_PASSWORD', "x$${SECRET}");`,
      /:2: DB_PASSWORD .*a "\$" in its double quotes names a variable/,
    ],
    [
      'an entry that is not there',
      `$a = []; define('DB_PASSWORD', $a['${SECRET}']);`,
      /:2: DB_PASSWORD .*no such entry/,
    ],
    ['a command', `define('DB_PASSWORD', \`echo ${SECRET}\`);`, /:2: DB_PASSWORD .*it runs a command/],
    [
      'a part that is not set here',
      `define('DB_PASSWORD', '${SECRET}' . getenv('PART'));`,
      /:2: DB_PASSWORD comes from the environment variable PART, which is not set here/,
    ],
  ]
  for (const [name, lines, wanted] of UNCERTAIN)
    test(name, () => {
      const fault = outcome(lines)
      assert.match(fault, wanted)
      assert.doesNotMatch(fault, new RegExp(SECRET))
    })

  const CERTAIN: readonly (readonly [string, string, Record<string, string>?])[] = [
    ['a guard alone', `if (!defined('DB_PASSWORD')) { define('DB_PASSWORD', '${SECRET}'); }`],
    [
      'a guard behind an autoloader',
      `require 'vendor/autoload.php'; defined('DB_PASSWORD') or define('DB_PASSWORD', '${SECRET}');`,
    ],
    ['a guard of the file itself', `defined('ABSPATH') || exit; define('DB_PASSWORD', '${SECRET}');`],
    [
      'a file that ends itself outside of WordPress',
      `if (!defined('ABSPATH')) return; define('DB_PASSWORD', '${SECRET}');`,
    ],
    [
      'Config::define twice',
      `Config::define('DB_PASSWORD', 'x'); Config::define('DB_PASSWORD', '${SECRET}'); Config::apply();`,
    ],
    ['an assignment in a condition', `if ($p = getenv('P')) { define('DB_PASSWORD', $p); }`, { P: SECRET }],
    ['putenv', `putenv('P=${SECRET}'); define('DB_PASSWORD', getenv('P'));`, { P: 'other' }],
    ['an environment that is set in the file', `$_ENV['P'] = '${SECRET}'; define('DB_PASSWORD', $_ENV['P'] ?? 'd');`],
    ['an array', `$db = array('p' => 'x'); $db['p'] = '${SECRET}'; define('DB_PASSWORD', $db['p']);`],
    [
      'the same either way',
      `if (rand()) { define('DB_PASSWORD', '${SECRET}'); } else { define('DB_PASSWORD', '${SECRET}'); }`,
    ],
    ['a .env file and the variable set', `$dotenv->load(); define('DB_PASSWORD', getenv('P'));`, { P: SECRET }],
    ['quotes and words as Bedrock takes them', `define('DB_PASSWORD', env('P'));`, { P: `"${SECRET}"` }],
    ['a text that is run', `eval(getenv('EXTRA'));`, { EXTRA: `define('DB_PASSWORD', '${SECRET}');` }],
  ]
  for (const [name, lines, environment] of CERTAIN)
    test(`certain: ${name}`, () => assert.equal(outcome(lines, environment), `read: ${SECRET}`))

  test('a setting of the account that the environment gives need not be known from the file', () => {
    const lines = `define('DB_PASSWORD', 'p'); define('WU_SERVER_PILOT_API_KEY', getenv('KEY'));`
    assert.match(outcome(lines), /:2: WU_SERVER_PILOT_API_KEY comes from the environment variable KEY/)
    assert.equal(outcome(lines, { SERVERPILOT_API_KEY: 'k' }), 'read: p')
  })

  test('a malformed host is named with its line', () => {
    const text = "<?php\n$table_prefix = 'wp-';\ndefine('DB_HOST', 'http://db');"
    const result = readWpConfig(text, { path: 'x', environment: {}, readFile: () => assert.fail() })
    const lines = (result.ok ? [] : result.faults).map(({ line, name }) => `${name} ${line}`)
    assert.ok(lines.includes('DB_HOST 3') && lines.includes('$table_prefix 2'), lines.join())
  })

  test('a file that is nested without end is a fault', () => {
    const environment = { LOOP: "eval(getenv('LOOP'));" }
    assert.match(outcome("eval(getenv('LOOP'));", environment), /the file is nested too deeply to be read/)
    assert.match(
      outcome(`define('X', ${'('.repeat(50_000)}1${')'.repeat(50_000)});`),
      /the file is nested too deeply to be read/,
    )
    assert.doesNotThrow(() => outcome(`define('X', ${"'a' . ".repeat(20_000)}'a');`))
  })
})
