import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { apiServer } from '../kubernetes/api-server.ts'
import { type KubeObject, MANIFESTS, nameOf, objectsOf, type Tool, tool } from './tools.ts'

const FOLDERS = ['', 'overlays/namespaced', 'overlays/prometheus-operator', 'overlays/sharded']

const build = async (kubectl: Tool, folder: string): Promise<KubeObject[]> =>
  objectsOf(await kubectl(['kustomize', join(MANIFESTS, folder)]))

interface Container {
  args: string[]
  image: string
  securityContext: Record<string, unknown>
  livenessProbe?: unknown
  readinessProbe?: unknown
  resources: Record<string, Record<string, string>>
}

interface PodSpec {
  securityContext: Record<string, unknown>
  containers: Container[]
}

const podsOf = (objects: readonly KubeObject[]): PodSpec[] =>
  objects
    .filter(({ kind }) => kind === 'Deployment')
    .map((object) => (object.spec as { template: { spec: PodSpec } }).template.spec)

describe('kustomize', () => {
  test('a real API server takes all of it, every field known', async (t) => {
    const kubectl = await tool(t, 'kubectl')
    if (kubectl === undefined) return
    const server = await apiServer(t)
    if (server === undefined) return
    const access = ['--kubeconfig', server.kubeconfig]
    const flags = ['--server-side', '--force-conflicts', '--validate=strict']
    for (const folder of FOLDERS) {
      // The kinds of the Prometheus operator are not served here.
      const objects: KubeObject[] = (await build(kubectl, folder)).filter(
        (each) => !each.apiVersion.startsWith('monitoring.'),
      )
      const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })
      const applied = await kubectl(['apply', ...access, ...flags, '-f', '-'], list)
      assert.equal(applied.trim().split('\n').length, objects.length, applied)
    }
  })

  test('every pod is restricted, probed and bounded', async (t) => {
    const kubectl = await tool(t, 'kubectl')
    if (kubectl === undefined) return
    for (const folder of FOLDERS)
      for (const { securityContext, containers } of podsOf(await build(kubectl, folder)) as PodSpec[])
        for (const container of containers as Container[]) {
          assert.equal(securityContext.runAsNonRoot, true)
          assert.deepEqual(securityContext.seccompProfile, { type: 'RuntimeDefault' })
          const wanted = {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          }
          assert.deepEqual(container.securityContext, wanted)
          assert.ok(container.livenessProbe && container.readinessProbe && container.resources.limits?.memory)
        }
  })

  test('shards: two daemons with selectors that share nothing and leave nothing out, each with its own Service', async (t) => {
    const kubectl = await tool(t, 'kubectl')
    if (kubectl === undefined) return
    const objects = await build(kubectl, 'overlays/sharded')
    const args = podsOf(objects).map(({ containers }) => containers[0]?.args.join(' '))
    assert.deepEqual(args.sort(), ['run --app-selector=shard!=a', 'run --app-selector=shard=a'])
    const selectors = objects
      .filter(({ kind }) => kind === 'Service')
      .map((each) => JSON.stringify((each.spec as { selector: object }).selector))
    assert.equal(new Set(selectors).size, 2)
  })

  test('one namespace: no Secret, status or ConfigMap of any other is within its reach', async (t) => {
    const kubectl = await tool(t, 'kubectl')
    if (kubectl === undefined) return
    const objects = await build(kubectl, 'overlays/namespaced')
    const wide = objects.filter(({ kind }) => kind === 'ClusterRole')
    const resources = wide.flatMap((role) =>
      (role.rules as { resources: string[] }[]).flatMap((rule) => rule.resources),
    )
    assert.deepEqual(resources.sort(), ['domainmappings', 'namespaces', 'serverpilotapps'])
    const verbs = wide.flatMap((role) => (role.rules as { verbs: string[] }[]).flatMap((rule) => rule.verbs))
    assert.deepEqual([...new Set(verbs)].sort(), ['list', 'watch'])
  })

  test('with the Prometheus operator: everything of the base, a ServiceMonitor, the alerts and the dashboard', async (t) => {
    const kubectl = await tool(t, 'kubectl')
    if (kubectl === undefined) return
    const base = new Set((await build(kubectl, '')).map(nameOf))
    const more = (await build(kubectl, 'overlays/prometheus-operator')).map(nameOf)
    assert.deepEqual(more.filter((name) => !base.has(name)).sort(), [
      'ConfigMap domainpilot-dashboard',
      'PrometheusRule domainpilot',
      'ServiceMonitor domainpilot',
    ])
    assert.deepEqual(
      [...base].filter((name) => !more.includes(name)),
      [],
    )
  })
})
