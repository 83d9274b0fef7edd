import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PatchStrategy, setHeaderOptions } from '@kubernetes/client-node'
import { parseAllDocuments } from 'yaml'
import { KINDS, type Kind } from '../../src/api/schema.ts'
import type { ApiServer } from './api-server.ts'

const ROOT = join(import.meta.dirname, '../..')
export const API_VERSION = 'domainpilot.dev/v1alpha1'
export const GROUP = { group: 'domainpilot.dev', version: 'v1alpha1' }
export const PLURAL: Record<Kind, string> = { ServerPilotApp: 'serverpilotapps', DomainMapping: 'domainmappings' }
export const MERGE = setHeaderOptions('Content-Type', PatchStrategy.MergePatch)

export type Spec = Record<string, unknown>
/** An object as these tests write it. */
export interface Sample {
  kind: Kind
  metadata: { name: string; namespace?: string }
  spec: Spec
}

/** Every field once, so that each can be spoilt. */
export const FULL: Record<Kind, Spec> = {
  ServerPilotApp: {
    appId: 'nlcN0TwdZAyNEgdp',
    credentialsSecretRef: { name: 'serverpilot' },
    policy: 'Exclusive',
    www: 'Always',
    protectedDomains: ['network.example'],
    ssl: { auto: false, force: true, maxAttempts: 3, retryInterval: '1h30m' },
    dns: { policy: 'Require', expectedAddresses: ['192.0.2.1'] },
    safety: {
      maxRemovalPercent: 50,
      minDomains: 0,
      window: '48h',
      settle: '0',
      settleInferred: '1.5m',
      allowEmpty: true,
    },
    allowedNamespaces: {
      from: 'Selector',
      selector: {
        matchLabels: { tenant: 'shop' },
        matchExpressions: [{ key: 'tier', operator: 'In', values: ['gold'] }],
      },
    },
    allowedDomains: ['*.example.com'],
    wordpress: {
      connectionSecretRef: { name: 'database', key: 'dsn' },
      tablePrefix: 'blog_',
      mappings: 'Core',
      includeSites: true,
      pollInterval: '500ms',
    },
    deletionPolicy: 'Delete',
    suspend: true,
  },
  DomainMapping: {
    domain: 'bücher.example',
    www: 'Never',
    appRef: { name: 'network', namespace: 'wordpress' },
  },
}

/** Examples of our kinds: those of manifests/examples and every block of YAML in the documentation, by where they stand. */
export function examples(): [string, Sample][] {
  const under = (folder: string, ending: string) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith(ending))
      .map((name) => join(folder, name))
  const texts = under('manifests/examples', '.yaml').map((name) => [name, readFileSync(join(ROOT, name), 'utf8')])
  for (const page of ['README.md', ...under('docs', '.md')]) {
    const text = readFileSync(join(ROOT, page), 'utf8')
    for (const { 1: block, index } of text.matchAll(/^```ya?ml\n(.*?)^```$/gms))
      texts.push([`${page}:${text.slice(0, index).split('\n').length}`, block ?? ''])
  }
  return texts.flatMap(([where = '', text = '']) =>
    parseAllDocuments(text).flatMap((document): [string, Sample][] => {
      const value = document.toJS() as (Sample & { apiVersion?: string }) | null
      return value?.apiVersion === API_VERSION && KINDS.includes(value.kind) ? [[where, value]] : []
    }),
  )
}

/** Creates an object with every field checked, or has the API server only say what it would do; gives what it made of it. */
export async function create(
  server: ApiServer,
  namespace: string,
  { kind, metadata: { name }, spec }: Sample,
  dry = false,
  fieldValidation = 'Strict',
) {
  const body = { apiVersion: API_VERSION, kind, metadata: { name }, spec }
  const call = { ...GROUP, namespace, plural: PLURAL[kind], body, fieldValidation }
  return (await server.admin.custom.createNamespacedCustomObject(dry ? { ...call, dryRun: 'All' } : call)) as Sample
}
