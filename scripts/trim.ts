import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import type { Plugin } from 'esbuild'

/**
 * Leaves out of the bundle what is loaded by packages and never called here. The text of a module, its classes and what V8 notes of
 * them stay resident, so this is worth it: see docs/benchmarks.md.
 *
 * - The typed API of Kubernetes turns JSON into some 700 classes and back. Every caller here reads plain fields, and what a class would
 *   make of a time (`V1MicroTime`) is told apart where it is read. Without a class the serializer hands JSON through as it is.
 * - undici comes with `fetch`, caches, mocks and WebSockets; agents are enough.
 */
export const trim: Plugin = {
  name: 'trim',
  setup(build) {
    build.onLoad({ filter: /client-node[\\/]dist[\\/]gen[\\/]models[\\/]ObjectSerializer\.js$/ }, async ({ path }) => ({
      contents: withoutClasses(await readFile(path, 'utf8')),
      loader: 'js',
    }))
    // The package does not say that its modules do nothing by themselves: each one that is named somewhere would come along.
    build.onResolve({ filter: /^\.{1,2}\// }, async ({ path, pluginData, ...from }) => {
      if (pluginData === RESOLVED || !/client-node[\\/]dist[\\/]/.test(from.importer)) return undefined
      const found = await build.resolve(path, { ...from, pluginData: RESOLVED })
      return { path: found.path, errors: found.errors, sideEffects: false }
    })
    build.onResolve({ filter: /^undici$/ }, () => ({ path: 'agents', namespace: 'undici' }))
    build.onLoad({ filter: /.*/, namespace: 'undici' }, () => ({
      contents: AGENTS,
      loader: 'js',
      resolveDir: dirname(createRequire(import.meta.url).resolve('undici')),
    }))
  },
}

/** Marks a path that is only asked for once more. */
const RESOLVED = Symbol('resolved')

/** The serializer without the classes that it knows. Throws when the package is built another way than it was. */
function withoutClasses(serializer: string): string {
  const alone = serializer
    .replaceAll(/^(?:import|export) .* from '\.\.\/models\/.*$/gm, '')
    .replace(/^let typeMap = \{[^}]*\};$/m, 'let typeMap = {};')
  if (/V1Pod\b/.test(alone) || !alone.includes('let typeMap = {};')) {
    throw new Error('the serializer of @kubernetes/client-node is another one: look at scripts/trim.ts')
  }
  return alone
}

const AGENTS = `
import Dispatcher from './lib/dispatcher/dispatcher.js'
import api from './lib/api/index.js'
import Agent from './lib/dispatcher/agent.js'
import ProxyAgent from './lib/dispatcher/proxy-agent.js'
Object.assign(Dispatcher.prototype, api)
export function fetch() { throw new Error('fetch of undici is left out of this bundle') }
export { Agent, Dispatcher, ProxyAgent }
`
