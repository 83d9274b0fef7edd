import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { metricsDocs } from '../src/report/metrics-table.ts'
import { flagsDocs } from '../src/setup/flags.ts'
import { crdsYaml } from '../src/status/crd.ts'

/** Generates what comes from the code: docs/flags.md, docs/metrics.md and the CRDs. A test fails when they drift. */
await writeFile('docs/flags.md', flagsDocs())
await writeFile('docs/metrics.md', metricsDocs())
await mkdir('manifests/crd', { recursive: true })
await writeFile('manifests/crd/crds.yaml', crdsYaml())

// A chart can hold no links to files outside of it.
for (const file of [
  'crd/crds.yaml',
  'admission/approval.yaml',
  'monitoring/prometheus-rule.yaml',
  'monitoring/dashboard.json',
])
  await copyFile(`manifests/${file}`, `manifests/chart/files/${file.split('/')[1]}`)
