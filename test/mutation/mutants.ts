import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A change of the real code that some behavioural test has to notice. */
export interface Mutant {
  /** Path under src/. */
  file: string
  /** Stands in the file exactly once. */
  from: string
  to: string
  /** Paths under test/, of files that should fail. */
  tests: readonly string[]
}

const PLAN = ['plan/merge.test.ts', 'plan/holds.test.ts', 'plan/plan.test.ts', 'plan/safety.test.ts']
const SSL = ['controller/app/ssl-state.test.ts']

export const sourceOf = (file: string): string => readFileSync(join(import.meta.dirname, '../../src', file), 'utf8')

/** Everything that is tried: each cell of the merge table, each rule left out, each condition turned. */
export function mutants(): Mutant[] {
  return [
    ...cells(),
    ...withoutEntry('plan/merge.ts', 'keep: [', PLAN),
    ...withoutEntry('plan/merge.ts', 'remove: [', PLAN),
    ...withoutEntry('plan/safety.ts', 'GUARDS: readonly Guard[] = [', PLAN),
    ...withoutEntry('plan/holds.ts', 'HOLDS: readonly Hold[] = [', PLAN),
    ...withoutRow('controller/app/ssl-state.ts', 'const RULES', SSL),
    ...CONDITIONS.map(([file, from, to]) => ({ file, from, to, tests: file.startsWith('plan/') ? PLAN : SSL })),
  ]
}

const ACTIONS = ['keep', 'adopt', 'add', 'remove', 'release', 'foreign']

/** Every cell of the merge table with every other action in it. */
function cells(): Mutant[] {
  const file = 'api/policy.ts'
  const columns = sourceOf(file).match(/(?<=\[)'\w+'(?:, '\w+'){6}(?=\])/g) ?? []
  return columns.flatMap((column) => {
    const cellsOf = column.split(', ')
    return cellsOf.flatMap((cell, index) => {
      const others = ACTIONS.filter((each) => cell !== `'${each}'`)
      return others.map((other) => ({
        file,
        from: column,
        to: cellsOf.with(index, `'${other}'`).join(', '),
        tests: PLAN,
      }))
    })
  })
}

/** A list of rules without each of its entries in turn. `opening`: what stands before the first. */
function withoutEntry(file: string, opening: string, tests: readonly string[]): Mutant[] {
  const text = sourceOf(file)
  const start = text.indexOf(opening)
  const list = text.slice(start, text.indexOf(']', start + opening.length) + 1)
  const names = list
    .slice(opening.length, -1)
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  return names.map((left) => ({
    file,
    from: list,
    to: `${opening}${names.filter((name) => name !== left).join(', ')}]`,
    tests,
  }))
}

/** A table of rules without each of its rows in turn. `opening`: where it begins. */
function withoutRow(file: string, opening: string, tests: readonly string[]): Mutant[] {
  const text = sourceOf(file)
  const table = text.slice(text.indexOf(opening), text.indexOf('\n}', text.indexOf(opening)) + 1)
  const rows = table.match(/^ {2}\w+: \{(?: .*|\n(?: {4}.*\n)+ {2})\},\n/gm) ?? []
  return rows.map((row) => ({ file, from: row, to: '', tests }))
}

/** Conditions inside of rules: file, what stands there, what is put in its place. */
const CONDITIONS: readonly (readonly [string, string, string])[] = [
  ['plan/merge.ts', 'claim.mapping !== want.mapping.key ||', 'false ||'],
  ['plan/merge.ts', '|| claim.source !== want.mapping.source', '|| false'],
  ['plan/merge.ts', 'claim?.implied && desired', 'desired'],
  ['plan/merge.ts', 'claim?.implied && desired.has(withoutWww(host))', 'claim?.implied'],
  ['plan/merge.ts', "claim === undefined && host.startsWith('www.')", "host.startsWith('www.')"],
  ['plan/merge.ts', "host.startsWith('www.') && desired.has(withoutWww(host))", "host.startsWith('www.')"],
  ['plan/safety.ts', '  if (foreign.length === 0) return undefined\n', ''],
  ['plan/safety.ts', 'record.exclusiveApproved === true', 'false'],
  ['plan/safety.ts', 'if (finalizing) return undefined', ''],
  ['plan/safety.ts', 'share.base < safety.minDomains', 'share.base <= safety.minDomains'],
  ['plan/safety.ts', 'share.percent <= safety.maxRemovalPercent', 'share.percent < safety.maxRemovalPercent'],
  ['plan/safety.ts', 'owned.length + joining', 'owned.length'],
  ['plan/safety.ts', '!others.has(host)', 'true'],
  ['plan/safety.ts', '|| app.spec.safety.allowEmpty', ''],
  ['plan/safety.ts', 'if (left === 0)', 'if (false)'],
  ['plan/safety.ts', 'desired.hosts.size === 0 && !finalizing', 'false'],
  ['plan/safety.ts', 'desired.hosts.size === 0 && !finalizing', 'desired.hosts.size === 0'],
  [
    'plan/holds.ts',
    'claim === undefined ? frozen.values().next().value : frozen.get(claim.source)',
    'frozen.values().next().value',
  ],
  ['plan/desired.ts', ", 'names no valid host now'", ''],
  ['plan/desired.ts', ", 'may be allowed: the labels of its namespace are not known'", ''],
  ['plan/holds.ts', 'inferred && (watch?.distrusted ?? distrusted)', 'watch?.distrusted ?? distrusted'],
  ['plan/holds.ts', 'inferred && (watch?.distrusted ?? distrusted)', 'inferred'],
  ['plan/holds.ts', 'inferred && (watch?.distrusted ?? distrusted)', 'false'],
  ['plan/holds.ts', 'watch?.distrusted ?? distrusted', 'distrusted'],
  ['plan/holds.ts', 'at <= now', 'at < now'],
  ['plan/holds.ts', 'at <= now', 'true'],
  ['plan/settle.ts', 'watch.lastLoss + safety.settle,', '(entry?.since ?? 0) + safety.settle,'],
  ['plan/settle.ts', '+ safety.settleInferred', '+ safety.settle'],
  ['plan/settle.ts', 'watch?.basis === pass.basis', 'true'],
  ['plan/settle.ts', '|| pass.frozen(host)', ''],
  ['plan/settle.ts', '&& frozen(host)', '&& false'],
  ['plan/removals.ts', 'input.finalizing ? candidates :', 'false ? candidates :'],
  ['plan/removals.ts', 'if (refusal !== undefined) for', 'if (false) for'],
  ['plan/removals.ts', '?? distrust(candidates, held)', ''],
  ['plan/removals.ts', 'fitting(fresh, observed.length)', 'fresh'],
  ['plan/removals.ts', 'merged.adopt.length + ', ''],
  ['plan/removals.ts', 'fitting(open.hosts.length, stay)', '0'],
  ['plan/capacity.ts', 'contended.get(each.host) ?? ', ''],
  ['plan/capacity.ts', ' ?? blocked.get(each.host)', ''],
  ['plan/capacity.ts', 'return a.derived ? 1 : -1', 'return 0'],
  ['plan/merge.ts', "input.finalizing ? 'Sync' : app.spec.policy", 'app.spec.policy'],
  ['plan/plan.ts', 'waits ? [] :', 'false ? [] :'],
  ['controller/app/ssl-state.ts', 'isOff(each) && !maySwitch(each)', 'false'],
  ['controller/app/ssl-state.ts', 'each.offersMore && maySwitch(each)', 'each.offersMore'],
  ['controller/app/ssl-state.ts', 'lacksForce(each) && mayForce(each)', 'lacksForce(each)'],
  ['controller/app/ssl-state.ts', 'isCustom(ssl) && certificate !== undefined', 'certificate !== undefined'],
  ['controller/app/ssl-state.ts', '&& available && uncovered', '&& uncovered'],
  ['controller/app/ssl-state.ts', "life === 'Overdue' || life === 'Urgent'", 'true'],
  ['controller/app/ssl-state.ts', 'false, wanted.auto)', 'false, true)'],
]
