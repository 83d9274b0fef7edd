import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { serialize } from 'php-serialize'
import { INTEGRATIONS_KEY, pluginWrites, WWW_KEY, wwwSetting } from '../../../src/source/wordpress/settings.ts'
import { hasPhp } from '../../wp-config/real-php.ts'

const www = (...values: (string | null)[]) =>
  wwwSetting(
    values.map((value, index) => ({ siteId: String(index + 1), key: WWW_KEY, value })),
    'wp_sitemeta',
  )

function rule(...values: (string | null)[]): string {
  const setting = www(...values)
  return 'broken' in setting ? 'broken' : setting.standard
}

describe('wwwSetting', () => {
  const good = 'a:2:{s:8:"site_url";s:23:"https://new.example.org";s:25:"auto_create_www_subdomain";s:5:"never";}'
  const table: [what: string, value: string, rule: string][] = [
    ['serialised-settings-broken: the good value', good, 'Never'],
    ['serialised-settings-broken: 23 bytes declared as 20', good.replace('s:23', 's:20'), 'broken'],
    ['declared as more', good.replace('s:23', 's:26'), 'broken'],
    ['main_only', serialize({ auto_create_www_subdomain: 'main_only' }), 'MainOnly'],
    ['always', serialize({ auto_create_www_subdomain: 'always' }), 'Always'],
    ["no such key: the plugin's default", serialize({ other: 1 }), 'Always'],
    ['an empty array', 'a:0:{}', 'Always'],
    ['a word that is none of them', serialize({ auto_create_www_subdomain: 'sometimes' }), 'broken'],
    ['lengths are bytes', 'a:2:{s:1:"a";s:7:"bücher";s:25:"auto_create_www_subdomain";s:5:"never";}', 'Never'],
    ['lengths in letters', 'a:2:{s:1:"a";s:6:"bücher";s:25:"auto_create_www_subdomain";s:5:"never";}', 'Never'],
    ['lengths that are neither', 'a:2:{s:1:"a";s:8:"bücher";s:25:"auto_create_www_subdomain";s:5:"never";}', 'broken'],
    ['four bytes a letter', serialize({ a: '🛒日本', auto_create_www_subdomain: 'never' }), 'Never'],
    ['nested, with objects, null, numbers', serializedMix(), 'Never'],
    ['cut short', good.slice(0, -10), 'broken'],
    ['something after its end', `${good}x`, 'broken'],
    ['a second value after its end', 'a:0:{}i:1;i:9;}', 'broken'],
    ['fewer entries than declared', good.replace('a:2', 'a:3'), 'broken'],
    ['more entries than declared', good.replace('a:2', 'a:1'), 'broken'],
    ['JSON', '{"auto_create_www_subdomain":"never"}', 'broken'],
    ['no array', 's:5:"never";', 'broken'],
    ['empty', '', 'broken'],
    ['inherited, not said', 'a:1:{s:9:"__proto__";a:1:{s:25:"auto_create_www_subdomain";s:5:"never";}}', 'Always'],
  ]
  for (const [what, value, expected] of table) test(what, () => assert.equal(rule(value), expected))

  test('settings-that-php-can-write', () => {
    const never = 's:25:"auto_create_www_subdomain";s:5:"never";'
    for (const [what, value] of [
      ['an enum', 'E:11:"Stage:Lives";'],
      ['a reference', 's:1:"x";s:1:"y";R:2;'],
      ['INF', 'd:INF;'],
      ['minus INF', 'd:-INF;'],
      ['NAN', 'd:NAN;'],
      ['a large number', 'd:1.0E+25;'],
      ['an object with integer keys', 'O:8:"stdClass":2:{i:0;s:1:"a";s:1:"b";a:1:{i:-3;N;}}'],
      ['an object that writes itself', 'C:11:"ArrayObject":21:{x:i:0;a:0:{};m:a:0:{}}'],
      ['an object again', 'a:2:{i:0;O:8:"stdClass":0:{}i:1;r:3;}'],
    ] as const) {
      const isReference = what === 'a reference'
      const text = isReference ? `a:3:{s:1:"x";s:1:"y";s:1:"z";R:2;${never}}` : `a:2:{s:1:"k";${value}${never}}`
      assert.equal(rule(text), 'Never', what)
    }
    assert.equal(rule('a:2:{s:1:"k";s:5:"never";s:25:"auto_create_www_subdomain";R:2;}'), 'Never')
    assert.equal(rule('a:1:{s:25:"auto_create_www_subdomain";E:11:"Stage:Never";}'), 'broken')
  })

  test('settings-that-php-can-write: written by PHP', async (t) => {
    if (!(await hasPhp(t))) return
    const { stdout } = await promisify(execFile)('php', ['-r', WRITTEN])
    const texts: string[] = JSON.parse(stdout)
    assert.equal(texts.length, 8)
    for (const text of texts) assert.equal(rule(text), 'Never', text)
  })

  test('a NULL is broken, no row at all is the default', () => {
    assert.equal(rule(null), 'broken')
    assert.equal(rule(), 'Always')
  })

  test('networks have rules of their own; the words name table, key and cure and nothing of the value', () => {
    const two = www(good, serialize({ auto_create_www_subdomain: 'always' }))
    assert.ok(!('broken' in two))
    assert.deepEqual(
      [...two.byNetwork],
      [
        ['1', 'Never'],
        ['2', 'Always'],
      ],
    )
    const broken = www(`${good.replace('s:23', 's:20')}`)
    assert.ok('broken' in broken)
    assert.match(broken.broken, /wp_sitemeta, "wp-ultimo_v2_settings" of network 1.*spec\.www/)
    assert.doesNotMatch(broken.broken, /new\.example\.org/)
  })
})

test('pluginWrites: on as PHP sees it', () => {
  const writes = (value: string) => pluginWrites([{ siteId: '1', key: INTEGRATIONS_KEY, value }])
  assert.equal(writes(serialize({ serverpilot: true })), 'on')
  assert.equal(writes(serialize({ serverpilot: 1, runcloud: true })), 'on')
  assert.equal(writes(serialize({ serverpilot: false })), 'off')
  assert.equal(writes(serialize({ serverpilot: '0' })), 'off')
  assert.equal(writes(serialize({ runcloud: true })), 'off')
  assert.equal(writes('a:0:{}'), 'off')
  assert.equal(writes('a:1:{s:11:"serverpilot";'), 'broken')
  assert.equal(pluginWrites([]), 'off')
})

/** Prints settings as PHP serialises them, with everything in them that it can write. */
const WRITTEN = `
enum Stage: string { case Live = 'live'; }
class Own { public $a = 1; protected $b = [1.5]; private $c; }
$object = new stdClass; $object->{5} = 'five'; $object->x = $object;
$list = [1, 2]; $list[] = &$list[0];
$all = [Stage::Live, $list, INF, -INF, NAN, $object, new Own, new ArrayObject(['k' => new Own, 3 => 1e300])];
echo json_encode(array_map(fn ($each) => serialize(['before' => $each, 'auto_create_www_subdomain' => 'never', 7 => $each]), $all));
`

function serializedMix(): string {
  return 'a:5:{i:0;N;s:1:"o";O:8:"stdClass":1:{s:1:"a";i:1;}s:1:"l";a:2:{i:0;d:0.5;i:1;b:1;}s:1:"b";i:9007199254740993;s:25:"auto_create_www_subdomain";s:5:"never";}'
}
