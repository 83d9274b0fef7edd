import { dirname, resolve } from 'node:path'
import { importsOf, within } from './names.ts'
import { lineOf, nameOf, nodeOf, nodesOf, type PhpNode, walk } from './node.ts'
import { type Parsed, parsePhp } from './parse.ts'
import { lineIn, nameOfFile, openEverything, type Scope } from './scope.ts'
import { asText, known, type Result, type SourceFile, unknown, type Value } from './values.ts'

/** What a look at a path finds: the text of a file; `folder`; `none` where nothing is; undefined where that cannot be seen. */
export function lookAt(
  { readFile }: Pick<Scope, 'readFile'>,
  path: string,
): { text: string } | 'folder' | 'none' | undefined {
  try {
    return { text: readFile(path) }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    return code === 'EISDIR' ? 'folder' : code === 'ENOENT' || code === 'ENOTDIR' ? 'none' : undefined
  }
}

/** A path as PHP takes it, from where the first file is; undefined where it may begin elsewhere. */
export const pathOf = (text: string, { main, seen }: Pick<Scope, 'main' | 'seen'>): string | undefined =>
  seen.moved && !text.startsWith('/') ? undefined : resolve(dirname(main), text)

/** The path of a file that is included. One that does not say where it begins is looked for there, and beside the file that names it. */
function pathToInclude(text: string, scope: Scope): string | undefined {
  const path = pathOf(text, scope)
  const beside = resolve(dirname(scope.file.path), text)
  if (path === undefined || path === beside || /^\.{0,2}\//.test(text)) return path
  const [isThere, isBeside] = [path, beside].map((each) => lookAt(scope, each) !== 'none')
  return isThere && isBeside ? undefined : isThere ? path : beside
}

/** Reads a file that is included, as PHP would, when its path is known and it is there; else what it may define is not known from then on. */
export function include(node: PhpNode, target: Value, scope: Scope): Result {
  const line = lineOf(node)
  const end = target.known
    ? asText(target.value)
    : String([...walk(node)].findLast(({ kind }) => kind === 'string')?.value ?? '')
  if (nameOfFile(end) === 'wp-settings.php') {
    scope.ended ??= { by: 'settings', line, certain: true }
    return null
  }
  // What Composer loads are classes and functions.
  if (/(^|\/)vendor\/autoload\.php$/.test(end)) {
    scope.seen.autoloader = true
    return unknown('it is what an autoloader gives')
  }
  const path = target.known && end !== '' ? pathToInclude(end, scope) : undefined
  const before = path === undefined ? undefined : scope.included.get(path)
  if (node.once === true && before?.known) return true
  const isOpen = path === undefined || (node.once === true && before !== undefined)
  const found = isOpen ? undefined : lookAt(scope, path)
  if (found === 'none' && node.optional === true) return false
  const parsed = typeof found === 'object' ? parsePhp(found.text) : undefined
  if (isOpen || parsed === undefined || 'fault' in parsed) {
    const fault = parsed && 'fault' in parsed ? ` and whose line ${parsed.fault.line} is not PHP that can be read` : ''
    const where = `in ${nameOfFile(end) || 'a file'}, which ${lineIn(scope, line)} includes${fault}`
    openEverything(scope, { line, where, included: true })
    return undefined
  }
  scope.included.set(path, known(true))
  return enter(parsed, path, scope)
}

/** Follows the statements of a file, and gives what it returns. */
export function enter({ statements, unread }: Parsed, path: string, scope: Scope): Value {
  for (const name of unread) scope.unread.set(name, `$${name} stands in a statement whose syntax is not known here`)
  for (const name of namesOfReferences(statements)) scope.unread.set(name, `$${name} has another name, by reference`)
  const { file } = scope
  scope.file = sourceOf(statements, { path, namespace: '', imports: new Map() })
  hoist(statements, scope.file, scope)
  scope.follow(statements, scope)
  scope.file = file
  return returned(scope, known(1))
}

/** Names of variables that share a value with another one: what is set by the one is not seen by the other. */
function namesOfReferences(statements: readonly PhpNode[]): string[] {
  const nodes = statements.flatMap((statement) => [...walk(statement)])
  const shared = nodes.flatMap((node) => {
    if (node.kind === 'assignref') return [node]
    if (node.kind === 'entry') return node.byRef === true ? [node] : []
    if (node.kind === 'foreach') return nodeOf(node.value)?.byref === true ? nodesOf([node.source, node.value]) : []
    return nodesOf(node.uses).filter(({ byref }) => byref === true)
  })
  const names = shared
    .flatMap((node) => [...walk(node)])
    .map(({ kind, name, value }) => (kind === 'string' ? value : name))
  return names.filter((name) => typeof name === 'string')
}

/** What a file or a function came to that has ended; `otherwise`: when no `return` was reached. */
export function returned(scope: Scope, otherwise: Value): Value {
  const { ended } = scope
  if (ended === undefined) return otherwise
  if (ended.by !== 'dead' && ended.by !== 'settings') scope.ended = undefined
  return ended.certain && ended.value ? ended.value : unknown('what is returned depends on what is not known')
}

/** A file, or a namespace in it, with what its statements import. */
export const sourceOf = (statements: readonly PhpNode[], file: SourceFile): SourceFile => ({
  ...file,
  imports: statements
    .filter(({ kind }) => kind === 'usegroup')
    .reduce((all, each) => importsOf(each, all), file.imports),
})

/** The file with another namespace. */
export const inNamespace = ({ name, children }: PhpNode, { path }: SourceFile): SourceFile =>
  sourceOf(nodesOf(children), { path, namespace: String(name).toLowerCase(), imports: new Map() })

/** Functions are there before the statement that declares them, unless it stands in a condition. */
function hoist(statements: readonly PhpNode[], file: SourceFile, scope: Scope): void {
  for (const statement of statements) {
    if (statement.kind === 'namespace') {
      hoist(nodesOf(statement.children), inNamespace(statement, file), scope)
      continue
    }
    if (statement.kind === 'function') declare(statement, file, scope)
    for (const each of walk(statement)) {
      const name = within(file, nameOf(each.name) ?? '').toLowerCase()
      if (each.kind === 'function') scope.declared.add(name)
      if (/^(class|trait|enum)$/.test(each.kind)) scope.classes.set(name, each)
    }
  }
}

/** A function is there from now on. */
export function declare(node: PhpNode, file: SourceFile, { functions }: Scope): void {
  const name = within(file, nameOf(node.name) ?? '').toLowerCase()
  functions.set(name, { ...unknown('it is a function'), code: { node, file } })
}

/** The image of Docker runs the text of a variable, WORDPRESS_CONFIG_EXTRA: it is read as the rest of the file is. */
export function runText(node: PhpNode, source: Value, scope: Scope): Result {
  const line = lineOf(node)
  const parsed = source.known ? parsePhp(`<?php ${asText(source.value)}`) : undefined
  if (parsed === undefined || 'fault' in parsed) {
    openEverything(scope, { line, where: `by the text that ${lineIn(scope, line)} runs` })
    return undefined
  }
  for (const each of parsed.statements.flatMap((statement) => [...walk(statement)]))
    if (each.loc) each.loc.start.line = line
  return enter(parsed, scope.file.path, scope)
}
