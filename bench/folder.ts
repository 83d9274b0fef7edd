import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The namespace of all objects of the benches. */
export const NAMESPACE = 'bench'

/** A folder of objects and a state folder; both are gone after `remove`. */
export interface Folder {
  manifests: string
  state: string
  /** Writes one file of objects, whole at once. */
  write(file: string, ...objects: string[]): Promise<void>
  remove(): Promise<void>
}

export async function createFolder(): Promise<Folder> {
  const root = await mkdtemp(join(tmpdir(), 'domainpilot-bench-'))
  const manifests = join(root, 'domains')
  await mkdir(manifests)
  return {
    manifests,
    state: join(root, 'state'),
    write: (file, ...objects) => writeFile(join(manifests, file), objects.join('---\n')),
    remove: () => rm(root, { recursive: true, force: true }),
  }
}

/** A `ServerPilotApp`. No AutoSSL and no `www.` unless the spec says so: those are not what is measured. */
export const appYaml = (name: string, appId: string, spec: object = {}): string =>
  objectYaml('ServerPilotApp', name, { appId, www: 'Never', ssl: { auto: false }, ...spec })

export const mappingYaml = (name: string, domain: string, app: string, spec: object = {}): string =>
  objectYaml('DomainMapping', name, { domain, appRef: { name: app }, ...spec })

/** JSON is YAML, and quickly written. */
function objectYaml(kind: string, name: string, spec: object): string {
  return `apiVersion: domainpilot.dev/v1alpha1
kind: ${kind}
metadata: {name: ${name}, namespace: ${NAMESPACE}}
spec: ${JSON.stringify(spec).replaceAll('":', '": ')}
`
}

/** `h001` … */
export const names = (count: number, prefix = 'h'): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${String(index + 1).padStart(3, '0')}`)
