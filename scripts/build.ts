import { chmod, rm } from 'node:fs/promises'
import { build } from 'esbuild'
import { trim } from './trim.ts'

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
  plugins: [trim],
  logLevel: 'warning',
})
await chmod('dist/main.js', 0o755)
