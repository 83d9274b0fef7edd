import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parseAllDocuments } from 'yaml'

const run = promisify(execFile)
export const MANIFESTS = join(import.meta.dirname, '../../manifests')

/** An object of a manifest. */
export interface KubeObject {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> }
  [field: string]: unknown
}

/** A tool that was found. */
export type Tool = (args: readonly string[], input?: string) => Promise<string>

/**
 * kubectl of KUBEBUILDER_ASSETS or of the PATH; helm of HELM or of the PATH. Undefined, with the test skipped and told how to
 * get it, when it is not there.
 */
export async function tool(t: { skip(why: string): void }, name: 'kubectl' | 'helm'): Promise<Tool | undefined> {
  const assets = process.env.KUBEBUILDER_ASSETS
  const bundled = name === 'helm' ? process.env.HELM : assets === undefined ? undefined : join(assets, 'kubectl')
  const path = bundled !== undefined && existsSync(bundled) ? bundled : name
  const probe = name === 'helm' ? ['version'] : ['version', '--client']
  const found = await run(path, probe).then(
    () => true,
    () => false,
  )
  if (!found) {
    t.skip(
      name === 'helm'
        ? 'no helm: set HELM or put it on the PATH (go install helm.sh/helm/v4/cmd/helm@v4.3.1)'
        : 'no kubectl: put it into KUBEBUILDER_ASSETS or on the PATH',
    )
    return undefined
  }
  return async (args, input) => {
    const done = run(path, args, { maxBuffer: 16 * 1024 * 1024 })
    if (input !== undefined) done.child.stdin?.end(input)
    try {
      return (await done).stdout
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string }
      throw new Error(`${name} ${args.join(' ')}\n${stdout}\n${stderr}`)
    }
  }
}

/** The objects of a stream of YAML documents. */
export function objectsOf(yaml: string): KubeObject[] {
  return parseAllDocuments(yaml).flatMap((document) => {
    const value = document.toJS() as KubeObject | null
    return value === null ? [] : [value]
  })
}

/** `Kind name`. */
export const nameOf = ({ kind, metadata }: KubeObject): string => `${kind} ${metadata.name}`
