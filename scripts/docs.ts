import { writeFile } from 'node:fs/promises'
import { flagsDocs } from '../src/config.ts'
import { metricsDocs } from '../src/report/metrics.ts'

/** Generates docs/flags.md and docs/metrics.md; a test fails when they drift. */
await writeFile('docs/flags.md', flagsDocs())
await writeFile('docs/metrics.md', metricsDocs())
