import { chmod, rm } from 'node:fs/promises'
import { build, type Plugin } from 'esbuild'

/**
 * Of the Kubernetes client, `KubeConfig` alone comes along. The package does not say that its modules do nothing by themselves, so
 * that each of its 700 classes would; and it can make agents of undici, which nobody here asks it for.
 */
const kubeConfigAlone: Plugin = {
  name: 'kubeconfig-alone',
  setup(build) {
    build.onResolve({ filter: /client-node$|^\./ }, async ({ path, pluginData, ...from }) => {
      if (pluginData === RESOLVED) return undefined
      const { path: found, errors } = await build.resolve(path, { ...from, pluginData: RESOLVED })
      return /client-node.dist/.test(found) ? { path: found, errors, sideEffects: false } : undefined
    })
    build.onResolve({ filter: /^undici$/ }, () => ({ path: 'undici', namespace: 'left-out' }))
    build.onLoad({ filter: /.*/, namespace: 'left-out' }, () => ({ contents: 'module.exports = {}' }))
  },
}

/** Marks a path that is only asked for once more. */
const RESOLVED = Symbol('resolved')

/** Builds dist/: one tree-shaken bundle per lazily loaded command, runnable on Node 20.11 and newer. */
await rm('dist', { recursive: true, force: true })
await build({
  entryPoints: ['src/main.ts'],
  outdir: 'dist',
  bundle: true,
  splitting: true,
  platform: 'node',
  target: 'node20.11',
  format: 'esm',
  sourcemap: false,
  legalComments: 'none',
  // The text of a module stays resident: without its blanks and comments the daemon takes 25 MiB less. Names stay, for stack traces.
  minifyWhitespace: true,
  minifySyntax: true,
  chunkNames: 'chunks/[name]-[hash]',
  // Packages that are CommonJS inside call require() for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  plugins: [kubeConfigAlone],
  logLevel: 'warning',
})
await chmod('dist/main.js', 0o755)
