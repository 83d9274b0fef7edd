import { loadEnvFiles } from './environment.ts'
import { lookAt } from './include.ts'
import { lineIn, type Scope } from './scope.ts'
import { asText, entriesOf, type Value } from './values.ts'

/** Methods that make variables of a file a part of the environment: of phpdotenv, of Symfony. */
const LOADS = /^(load|safeload|overload|loadenv|bootenv)$/

/** What `Dotenv::createImmutable($folder, $names)->load()` does to the environment; what cannot be told is noted as not known. */
export function loadDotenv(method: string, loader: Value, scope: Scope, line: number): void {
  if (!LOADS.test(method)) return
  const made = loader.known ? undefined : loader.made
  const into = intoOf(made?.by ?? '', made?.args[0])
  const [folder, names, first] = made?.args[0]?.known ? made.args : (made?.args.slice(1) ?? [])
  const isFirstAlone = !(first?.known && first.value === false)
  const texts = folder?.known && /load$/.test(method) ? textsIn(asText(folder.value), names, scope) : undefined
  if (texts === undefined || into.length === 0) scope.environmentLoaded ??= lineIn(scope, line)
  else loadEnvFiles(scope, isFirstAlone ? texts.slice(0, 1) : texts, { into, overwrites: method === 'overload', line })
}

/** Which environments what was made fills; none for what is not known here. */
function intoOf(by: string, repository: Value | undefined): ('_ENV' | '_SERVER' | 'getenv()')[] {
  if (by === 'dotenv\\dotenv::createimmutable') return ['_ENV', '_SERVER']
  if (by === 'new dotenv\\dotenv' || by === 'dotenv\\dotenv::createunsafeimmutable')
    return ['_ENV', '_SERVER', 'getenv()']
  if (by !== 'dotenv\\dotenv::create') return []
  if (repository?.known) return ['_ENV', '_SERVER', 'getenv()']
  const chain = (repository?.made?.by ?? '').toLowerCase()
  if (!/repositorybuilder::createwith(no|default)adapters.*->immutable\b/.test(chain)) return []
  const [isUsual, has] = [chain.includes('defaultadapters'), (adapter: string) => chain.includes(adapter)]
  return [
    ...(isUsual || has('envconstadapter') ? (['_ENV'] as const) : []),
    ...(isUsual || has('serverconstadapter') ? (['_SERVER'] as const) : []),
    ...(has('putenvadapter') ? (['getenv()'] as const) : []),
  ]
}

/** The texts of the files that are there; undefined where that cannot be seen. */
function textsIn(folder: string, names: Value | undefined, scope: Scope): string[] | undefined {
  const list = names === undefined || (names.known && names.value === null) ? ['.env'] : namesOf(names)
  const found = list?.map((name) => lookAt(scope, `${folder.replace(/\/+$/, '')}/${name}`))
  if (found === undefined || found.some((each) => each === undefined || each === 'folder')) return undefined
  const texts = found.flatMap((each) => (typeof each === 'object' ? [each.text] : []))
  return texts.length === 0 ? undefined : texts
}

function namesOf(names: Value): string[] | undefined {
  const all = names.known ? [names] : [...(entriesOf(names)?.values() ?? [])]
  const texts = all.flatMap((each) => (each.known ? [asText(each.value)] : []))
  return texts.length > 0 && texts.length === all.length ? texts : undefined
}
