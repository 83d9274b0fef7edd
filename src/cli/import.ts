import { Document, visit } from 'yaml'
import { API_VERSION } from '../api/objects.ts'
import { compareKey, type Host, isMainDomain, parseHost } from '../domain/host.ts'
import { visible, visibleLines } from '../log/visible.ts'
import type { ServerPilotApp } from '../serverpilot/serverpilot.ts'
import { AMBIENT, connectServerPilot } from '../setup/accounts.ts'
import type { Ambient } from '../setup/ambient.ts'
import { EXIT, endWith, type Io } from '../setup/io.ts'
import { type Given, UsageError } from '../setup/option.ts'
import { loadSettings } from '../setup/settings.ts'
import { startProgress } from './progress.ts'

/** `import`: prints the objects that describe what ServerPilot has now, so that a first `plan` is empty. */
export async function importCommand(io: Io, given: Given): Promise<number> {
  const settings = await loadSettings(io, given)
  if (settings.wpConfig !== undefined) {
    io.out(wpConfigTemplate(settings.ambient))
    return EXIT.done
  }
  const { credentials, appId } = settings.ambient
  if (credentials === undefined) {
    throw new UsageError('Set SERVERPILOT_CLIENT_ID and SERVERPILOT_API_KEY: import asks ServerPilot what there is.')
  }
  const account = connectServerPilot(io, settings, { credentials, origin: AMBIENT })
  const progress = startProgress(io, 'Asking ServerPilot')
  const apps = await account.listApps(io.signal).finally(() => progress.stop())
  const chosen = appId === undefined ? apps : apps.filter((app) => app.id === appId)
  if (chosen.length === 0)
    return endWith(io, EXIT.failed, `The account has no app${appId === undefined ? '' : ` ${appId}`}.`)
  io.out(importText(chosen))
  return EXIT.done
}

/** The objects of a cluster for what a wp-config.php says: Secrets with its credentials, as was asked for, and the app. Pure. */
export function wpConfigTemplate({ credentials, appId, database }: Ambient): string {
  const names = { account: 'serverpilot', database: 'wordpress-db' }
  const secret = (name: string, stringData: object) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name },
    stringData,
  })
  const objects = [
    ...(credentials === undefined ? [] : [secret(names.account, credentials)]),
    ...(database === undefined ? [] : [secret(names.database, { url: database.url })]),
    {
      apiVersion: API_VERSION,
      kind: 'ServerPilotApp',
      metadata: { name: 'network' },
      spec: {
        appId: appId ?? 'the id of the app at ServerPilot',
        credentialsSecretRef: credentials && { name: names.account },
        wordpress: database && {
          connectionSecretRef: { name: names.database, key: 'url' },
          tablePrefix: database.tablePrefix,
        },
      },
    },
  ]
  const head =
    '# Holds secrets: apply it, and keep it out of version control. A pod reaches no Unix socket: name a host in the url.\n'
  return `${head}${objects.map((each) => `---\n${toYaml(each)}`).join('')}`
}

/** The YAML of apps and their mappings. Pure. Names that cannot be declared stand there as comments: they stay foreign. */
export function importText(apps: readonly ServerPilotApp[]): string {
  const names = new Set<string>()
  return apps.map((app) => appText(app, unique(slug(app.name), names))).join('')
}

function appText(app: ServerPilotApp, name: string): string {
  const object = {
    apiVersion: API_VERSION,
    kind: 'ServerPilotApp',
    metadata: { name },
    spec: { appId: app.id, policy: 'Sync', ssl: { auto: app.ssl?.auto === true } },
  }
  const mappings = mappingsOf(app.domains)
  const names = new Set<string>()
  const documents = mappings.declared.map(({ host, www }) =>
    toYaml({
      apiVersion: API_VERSION,
      kind: 'DomainMapping',
      metadata: { name: unique(slug(`${name}-${host}`), names) },
      spec: {
        domain: host,
        www: www === undefined ? 'Never' : isMainDomain(host) ? 'MainOnly' : 'Always',
        appRef: { name },
      },
    }),
  )
  const left = mappings.left.map((note) => `# left alone (foreign): ${visible(note)}\n`).join('')
  return `---\n# App "${visible(app.name)}"\n${left}${toYaml(object)}${documents.map((each) => `---\n${each}`).join('')}`
}

/**
 * Quotes what YAML 1.1 would read as something else: `no`, `010`. Leaves out what is undefined. Text with control characters stands in
 * double quotes, where they can be escaped.
 */
function toYaml(value: unknown): string {
  const document = new Document(value, { compat: 'yaml-1.1' })
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value === 'string' && visible(node.value) !== node.value) node.type = 'QUOTE_DOUBLE'
    },
  })
  return visibleLines(document.toString({ lineWidth: 0 }))
}

/** Pairs `X` with `www.X` where both are there; everything else is mapped by itself. */
function mappingsOf(domains: readonly string[]) {
  const hosts = new Set<Host>()
  const left: string[] = []
  for (const domain of domains) {
    const parsed = parseHost(domain)
    if (parsed.ok) hosts.add(parsed.host)
    else left.push(`${compareKey(domain)}: ${parsed.message}`)
  }
  const www = (host: Host): Host | undefined => {
    const name = `www.${host}` as Host
    return hosts.has(name) && !host.startsWith('www.') && !host.startsWith('*.') ? name : undefined
  }
  const covered = new Set([...hosts].flatMap((host) => www(host) ?? []))
  const declared = [...hosts]
    .filter((host) => !covered.has(host))
    .sort()
    .map((host) => ({ host, www: www(host) }))
  return { declared, left }
}

/** A name that Kubernetes takes: lower-case letters, digits and dashes, 253 characters at most. */
function slug(text: string): string {
  const clean = text
    .toLowerCase()
    .replace(/^\*\./, 'wildcard-')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
  return clean.slice(0, 240).replace(/-+$/, '') || 'app'
}

function unique(name: string, taken: Set<string>): string {
  let candidate = name
  for (let number = 2; taken.has(candidate); number++) candidate = `${name}-${number}`
  taken.add(candidate)
  return candidate
}
