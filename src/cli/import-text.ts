import { Document, visit } from 'yaml'
import { API_VERSION } from '../api/objects.ts'
import { compareKey, type Host, isMainDomain, parseHost } from '../domain/host.ts'
import { visible, visibleLines } from '../log/visible.ts'
import type { ServerPilotApp } from '../serverpilot/serverpilot.ts'
import type { Ambient } from '../setup/ambient.ts'

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
  return `---\n# App "${visible(app.name)}"\n${leftAlone(app.domains)}${toYaml(object)}${documents(app.domains, { name })}`
}

/** The YAML of mappings for domains of an app, which is named; what cannot be declared stands there as comments. Pure. */
export const mappingsText = (domains: readonly string[], app: { name: string; namespace: string }): string =>
  `${leftAlone(domains)}${documents(domains, app)}`

const leftAlone = (domains: readonly string[]): string =>
  mappingsOf(domains)
    .left.map((note) => `# left alone (foreign): ${visible(note)}\n`)
    .join('')

function documents(domains: readonly string[], { name, namespace }: { name: string; namespace?: string }): string {
  const names = new Set<string>()
  const objects = mappingsOf(domains).declared.map(({ host, www }) => ({
    apiVersion: API_VERSION,
    kind: 'DomainMapping',
    metadata: { name: unique(slug(`${name}-${host}`), names), ...(namespace === undefined ? {} : { namespace }) },
    spec: {
      domain: host,
      www: www === undefined ? 'Never' : isMainDomain(host) ? 'MainOnly' : 'Always',
      appRef: { name },
    },
  }))
  return objects.map((each) => `---\n${toYaml(each)}`).join('')
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
