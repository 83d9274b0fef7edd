import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Key } from '../../../src/api/objects.ts'
import { createManifestSource, type ManifestOptions } from '../../../src/source/manifests/manifests.ts'

/** The YAML of one mapping of the app `network`. */
export function mapping(name: string, domain = `${name}.example.com`, app = 'network'): string {
  return `apiVersion: domainpilot.dev/v1alpha1\nkind: DomainMapping\nmetadata: {name: ${name}}\nspec:\n  domain: ${domain}\n  appRef: {name: ${app}}\n`
}

/** The YAML of one app. */
export function app(name = 'network', more = ''): string {
  return `apiVersion: domainpilot.dev/v1alpha1\nkind: ServerPilotApp\nmetadata: {name: ${name}}\nspec: {appId: AAAAAAAAAAAAAAAA${more}}\n`
}

/** A folder that goes with the test. */
export async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'manifests-'))
  t.after(() => rm(path, { recursive: true, force: true }))
  return path
}

/** Writes files by name. */
export async function write(path: string, files: Record<string, string | Uint8Array>): Promise<void> {
  for (const [name, content] of Object.entries(files)) await writeFile(join(path, name), content)
}

/** A started source that goes with the test, with what it told so far. */
export async function started(t: TestContext, paths: string[], options: Partial<ManifestOptions> = {}) {
  // Without the periodic look, so that the tests show that the watches work.
  const source = createManifestSource({ paths, rescanMs: 3_600_000, ...options })
  const told: Key[][] = []
  t.after(() => source.stop())
  await source.start((apps) => told.push([...apps].sort()))
  // The second look, which puts up the watches.
  await sleep(150)
  const domains = () => source.mappings().map(({ domain }) => domain.replace('.example.com', ''))
  return { source, told, domains, failure: () => source.failure()?.message ?? '' }
}

/** Waits until the check passes; its last error is the test's when it does not in time. */
export async function until(check: () => void, ms = 5000): Promise<void> {
  const deadline = performance.now() + ms
  for (;;) {
    try {
      check()
      return
    } catch (error) {
      if (performance.now() > deadline) throw error
    }
    await sleep(10)
  }
}

/** Waits until the domains are these, in any order. */
export async function untilDomains(domains: () => string[], wanted: string[]): Promise<void> {
  await until(() => assert.deepEqual(domains().sort(), [...wanted].sort()))
}
