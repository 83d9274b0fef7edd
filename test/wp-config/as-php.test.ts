import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { parsePhp } from '../../src/wp-config/parse.ts'
import { getVariable, type Scope } from '../../src/wp-config/scope.ts'
import { readStatements } from '../../src/wp-config/statements.ts'
import { asText, type Value } from '../../src/wp-config/values.ts'
import { temporaryFolder } from '../e2e/process.ts'
import { ENVIRONMENT, INCLUDED, NAMES, programs } from './programs.ts'
import { hasPhp, runPhp } from './real-php.ts'

/** What a file was found to define and set; undefined where the parser knows less than PHP, which is a fault and no claim. */
function read(text: string, path: string): Scope | undefined {
  const readFile = (file: string) => {
    if (file === join(dirname(path), 'inc.php')) return INCLUDED
    throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
  }
  const parsed = parsePhp(text)
  if ('fault' in parsed) return undefined
  return readStatements(parsed, { environment: ENVIRONMENT, path, readFile }, {})
}

/** What is claimed of a name and is not so; undefined when nothing is. */
function lie(ours: Value | undefined, theirs: unknown, open: boolean): string | undefined {
  if (ours === undefined) return theirs === undefined || open ? undefined : 'taken for unset'
  if (!ours.known) return undefined
  if (theirs === undefined) return ours.value === null ? undefined : 'taken for set'
  return asText(ours.value) === theirs ? undefined : `taken for ${JSON.stringify(ours.value)}`
}

const SNIPPETS = [
  ...[`'it\\'s \\\\ \\n \\\\\\''`, `"tab\\t dollar\\$ quote\\" back\\\\ hex\\x41 uni\\u{e9} oct\\101 \\q \\' \\400"`],
  ...[`"\\xc3\\xa9 \\303\\251 \\u{1F600}"`, `'a' . "b" . 1 . true . null . false`, `"x{$a}y $a z\${a} $ a \\{$a}"`],
  ...[
    `"$list[k] {$list['k']}"`,
    `$list['k']`,
    `($list[true] = 'x') . $list[1]`,
    `($GLOBALS['list']['m'] = 'z') . $list['m']`,
    `getenv('SET') ?: 'd'`,
    `getenv('UNSET') ?: 'd'`,
    `$_ENV['NO'] ?? 'e'`,
  ],
  ...[`true ? 'a' : 'b'`, `('' ?: 'c')`, `A . 'x'`, `\\A`, `(string) 5`, `trim(" x\\0\\t")`, `trim("\\u{a0}x")`, `-5`],
  ...[
    `017 . 0x1F . 0b11 . 1_000 . 0o17`,
    `dirname('')`,
    `dirname('//a//b')`,
    `dirname('/a/b/c', 2)`,
    `basename('/a/b/')`,
  ],
  ...[`'1' == 1 ? 'y' : 'n'`, `'abc' == 0 ? 'y' : 'n'`, `'' == null ? 'y' : 'n'`, `'0' == false ? 'y' : 'n'`],
  ...[`'1e1' == '10' ? 'y' : 'n'`, `'1' == true ? 'y' : 'n'`, `getenv('NUM') == 10 ? 'y' : 'n'`, `'0.0' ? 't' : 'f'`],
  ...[`<<<'EOT'\nraw $a \\n\nEOT`, `<<<EOT\nline $a\n  more\nEOT`, `<<<EOT\n  a\n\n    b \\"c\\" \\x41\n  EOT`],
  ...[`<<<'EOT'\n  a\\n\n    b\n  EOT`, `<<<EOT\n  one $a\n  two {$a}\n  EOT`, `<<<EOT\nEOT`, `<<<'EOT'\nEOT`],
]

describe('as PHP itself would', () => {
  test('expressions are worth what PHP says', async (t) => {
    if (!(await hasPhp(t))) return
    const folder = await temporaryFolder(t)
    const files = SNIPPETS.map((_, index) => join(folder, `${index}.php`))
    const texts = SNIPPETS.map(
      (each) => `<?php\n$a = 'v'; $list = ['k' => 'w'];\ndefine('A', 'const');\n$b = (${each}\n);`,
    )
    await Promise.all(files.map((file, index) => writeFile(file, texts[index] as string)))
    const ran = await runPhp(files, NAMES, ENVIRONMENT)
    assert.equal(ran.length, SNIPPETS.length)
    for (const [index, { variables }] of ran.entries()) {
      const ours = read(texts[index] as string, files[index] as string)?.variables.get('b')
      assert.ok(ours?.known, SNIPPETS[index])
      assert.equal(asText(ours.value), variables.b, SNIPPETS[index])
    }
  })

  test('nothing is taken for known that PHP works out to something else', async (t) => {
    if (!(await hasPhp(t))) return
    const folder = await temporaryFolder(t)
    await writeFile(join(folder, 'inc.php'), INCLUDED)
    const texts = fc.sample(programs, Number(process.env.PROGRAMS ?? 300))
    const files = texts.map((_, index) => join(folder, `${index}.php`))
    await Promise.all(files.map((file, index) => writeFile(file, texts[index] as string)))
    let claims = 0
    for (const { file, fault, constants, variables } of await runPhp(files, NAMES, ENVIRONMENT)) {
      if (fault) continue
      const text = texts[files.indexOf(file)] as string
      const scope = read(text, file)
      if (scope === undefined) continue
      const { openConstants, openVariables } = scope
      for (const name of NAMES.constants) {
        const ours = scope.constants.get(name)
        assert.equal(lie(ours, constants[name], openConstants !== undefined), undefined, `${name}\n${text}`)
        if (ours?.known) claims++
        else if (ours !== undefined && !ours.perhaps) assert.ok(name in constants, `${name} is not defined\n${text}`)
      }
      for (const name of NAMES.variables) {
        assert.equal(
          lie(getVariable(name, scope), variables[name], openVariables !== undefined),
          undefined,
          `$${name}\n${text}`,
        )
        if (getVariable(name, scope)?.known) claims++
      }
    }
    assert.ok(claims > 50, `${claims} values were known: too few to mean anything`)
  })
})
