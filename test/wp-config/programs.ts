import * as fc from 'fast-check'

/** The names that programs use. */
export const NAMES = { constants: ['A', 'B', 'C', 'D'], variables: ['a', 'b', 'c', 'table_prefix'] }

/** The environment that programs run in. */
export const ENVIRONMENT = { SET: 'value', EMPTY: '', NUM: '10', WORD: 'true' }

const oneOf = (...texts: string[]) => fc.constantFrom(...texts)
const variable = oneOf(...NAMES.variables.map((name) => `$${name}`))
const constant = oneOf(...NAMES.constants)
const literal = oneOf(
  ...["'x'", "'0'", "''", "'1'", '"y\\x41"', '"\\xc3\\xa9"', '0', '1', 'true', 'false', 'null', "'10'", "'1e1'", '017'],
  ...["'true'", '-3', '"é"', "'a\\'b'", "['k' => 'in', 'l' => 'm']", "array('p', 'q')", '<<<X\n  a\\"\n    b\n  X'],
)
const outside = oneOf(
  ...["getenv('SET')", "getenv('UNSET')", "getenv('EMPTY')", "getenv('PUT')", "getenv('NUM')", "\\Env\\env('WORD')"],
  ...["\\Env\\env('UNSET')", "\\Env\\env('NUM')", "$_SERVER['SET']", "$_SERVER['REQUEST_METHOD']", 'rand(0, 1)'],
)
const operator = oneOf('==', '===', '!=', '!==', '&&', '||', 'and', 'or', 'xor', '|', '<', '>', '.')

/** PHP text with holes: `text` of the arbitraries in between. */
const php = (parts: TemplateStringsArray, ...holes: fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.tuple(...holes).map((texts) => parts.reduce((all, part, index) => `${all}${texts[index - 1] ?? ''}${part}`))

const { expression, statement } = fc.letrec<{ expression: string; statement: string; block: string }>((tie) => {
  const [e, s] = [tie('expression'), tie('block')]
  return {
    expression: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'expression' },
      fc.oneof(literal, variable, constant, outside),
      php`(${e} . ${e})`,
      php`(${e} ?: ${e})`,
      php`(${variable} ?? ${e})`,
      php`(${variable}['k'] ?? ${e})`,
      php`($_SERVER['${oneOf('SET', 'UNSET', 'REQUEST_URI')}'] ?? ${e})`,
      php`(${e} ? ${e} : ${e})`,
      php`(${e} ${operator} ${e})`,
      php`(${variable} ${oneOf('=', '.=', '??=')} ${e})`,
      php`(${oneOf('!', '(string) ', '(int) ', '(bool) ', '@')}${e})`,
      php`${oneOf('trim', 'strtoupper', 'dirname', 'basename', 'is_string', 'strrev')}(${e})`,
      php`${oneOf('isset', 'empty')}(${variable})`,
      php`isset(${variable}['k'])`,
      php`(defined('${constant}') ? 'defined' : ${e})`,
      php`"p{${variable}}q ${variable}"`,
      php`$GLOBALS['${oneOf('a', 'b')}']`,
    ),
    block: fc.array(tie('statement'), { minLength: 1, maxLength: 2 }).map((all) => all.join(' ')),
    statement: fc.oneof(
      { maxDepth: 2, depthIdentifier: 'statement', withCrossShrink: true },
      php`${variable} = ${e};`,
      php`define('${constant}', ${e});`,
      php`${variable} ${oneOf('.=', '??=')} ${e};`,
      php`defined('${constant}') || define('${constant}', ${e});`,
      php`unset(${variable});`,
      php`${variable}['k'] = ${e};`,
      php`putenv('PUT=' . ${e});`,
      php`[${variable}] = ['l'];`,
      php`${e};`,
      php`$GLOBALS['a'] = ${e};`,
      php`eval('${variable} = 5; define("${constant}", 6);');`,
      php`${variable}++;`,
      php`preg_match('/./', 'z', ${variable});`,
      php`$f = function () { $a = 'closure'; return $a; };`,
      php`extract(['a' => 'ex']);`,
      php`${variable} = &${variable};`,
      php`foreach (['f', 'g'] as ${variable}) { ${s} }`,
      php`if (${e}) { ${s} } else { ${s} }`,
      php`if (${e}): ${s} elseif (${e}): ${s} endif;`,
      php`if (!defined('${constant}')) { define('${constant}', ${e}); }`,
      php`if (${e}) { return; }`,
      php`try { ${s} } catch (Exception $e) { ${s} }`,
      php`switch (${e}) { case ${literal}: ${s} break; default: ${s} }`,
    ),
  }
})

/** The expression alone, for tables of them. */
export const expressions = expression

/** Whole files of PHP that define and set things in every way that configurations do. */
export const programs = fc
  .array(statement, { minLength: 1, maxLength: 7 })
  .map((statements) => `<?php\n${statements.join('\n')}\n`)
