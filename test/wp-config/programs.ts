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
      php`match (${e}) { ${literal}, ${e} => ${e}, default => ${e} }`,
      php`${oneOf('f', 'g')}(${e})`,
      php`${oneOf('f', 'g')}()`,
      php`(function ($x) use (${variable}) { ${s} return $x; })(${e})`,
      php`(fn($x) => $x . ${e})(${e})`,
      php`call_user_func('f', ${e})`,
      php`implode(',', explode('x', ${e}))`,
      php`substr(${e}, ${oneOf('0', '1', '-1', '-2')}, ${oneOf('1', '-1', '2', 'null')})`,
      php`str_replace('x', ${e}, ${e})`,
      php`sprintf('%s-%s', ${e}, ${e})`,
      php`(in_array(${e}, ['x', 1, null, '0']) ? 'in' : 'out')`,
      php`(json_decode('{"k": "j", "l": [1, "2"]}', true)['${oneOf('k', 'm')}'] ?? ${e})`,
      php`(include '${oneOf('inc.php', 'none.php')}')`,
      php`(@include_once 'inc.php')`,
      php`(${variable}++)`,
      php`(string) count(${oneOf("['a', 'b']", 'explode("x", "axb")')})`,
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
      php`switch (${e}) { case ${literal}: ${s} default: ${s} case ${e}: ${s} break; }`,
      php`foreach (['k' => 'f', 3 => 'g'] as ${variable} => ${variable}) { ${s} if (${e}) ${oneOf('break', 'continue')}; ${s} }`,
      php`foreach ([1, 2] as $i) { foreach (['f', 'g'] as $j) { if (${e}) ${oneOf('break', 'continue')} 2; ${s} } ${s} }`,
      php`for ($i = 0; $i < 3; $i++) { ${s} if (${e}) break; }`,
      php`$n = 0; while ($n < 2) { $n += 1; ${s} }`,
      php`[${variable}, 'k' => ${variable}] = ['l', 'k' => ${e}];`,
      php`[, ${variable}] = [${e}, ${e}];`,
      php`${variable}[] = ${e};`,
      php`${variable}['k']['l'] = ${e};`,
      php`require_once 'inc.php';`,
      php`if (${e}) { include 'inc.php'; }`,
      php`if (${e}) { exit; }`,
    ),
  }
})

/** The expression alone, for tables of them. */
export const expressions = expression

/** What programs include. */
export const INCLUDED = `<?php $a = ($a ?? '') . 'i'; $c ??= 'inc'; define('B', "inc$a"); if (isset($b)) return 'early'; return 'late';`

/** Functions that do not call one another for ever. */
const calm = (text: fc.Arbitrary<string>) =>
  text.map((each) => each.replaceAll(/\b[fg]\(|'f'/g, (found) => (found === "'f'" ? "'trim'" : 'trim(')))

const functions = php`function f($x = ${literal}) { ${calm(statement)} return ${calm(expression)}; }
function g($x = 'x') { ${oneOf('', 'global $a, $table_prefix;', 'static $a;')} ${calm(statement)} if (${calm(expression)}) { return ${calm(expression)}; } ${calm(statement)} }`

/** Whole files of PHP that define and set things in every way that configurations do. */
export const programs = fc
  .tuple(functions, fc.array(statement, { minLength: 1, maxLength: 7 }))
  .map(([declared, statements]) => `<?php\n${declared}\n${statements.join('\n')}\n`)
