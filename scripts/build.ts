import { chmod, rm } from 'node:fs/promises'
import { build } from 'esbuild'

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
  chunkNames: 'chunks/[name]-[hash]',
  // Packages that are CommonJS inside call require() for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  logLevel: 'warning',
})
await chmod('dist/main.js', 0o755)
