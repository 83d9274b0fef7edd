import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { apiServer } from '../kubernetes/api-server.ts'
import { type KubeObject, MANIFESTS, nameOf, objectsOf, type Tool, tool } from './tools.ts'

const CHART = join(MANIFESTS, 'chart')

const render = async (helm: Tool, ...values: string[]): Promise<KubeObject[]> =>
  objectsOf(await helm(['template', 'domainpilot', CHART, '--namespace', 'domainpilot', ...values]))

/** What only one of the two ways to install puts on an object. */
function comparable(objects: readonly KubeObject[]): Record<string, unknown> {
  const own = ['app.kubernetes.io/managed-by', 'app.kubernetes.io/version', 'helm.sh/chart']
  const strip = (object: KubeObject): KubeObject => {
    const labels = Object.entries(object.metadata.labels ?? {}).filter(([name]) => !own.includes(name))
    const { 'helm.sh/resource-policy': _, ...annotations } = object.metadata.annotations ?? {}
    const { name } = object.metadata
    // kustomize takes the kinds of admission policies for such as have a namespace; the API server knows better.
    const namespace = object.kind.startsWith('ValidatingAdmission') ? undefined : object.metadata.namespace
    return {
      ...object,
      metadata: { name, ...(namespace && { namespace }), labels: Object.fromEntries(labels), annotations },
    }
  }
  const kept = objects.filter(({ kind }) => kind !== 'Namespace').map(strip)
  return Object.fromEntries(kept.map((each) => [nameOf(each), each]))
}

describe('the Helm chart', () => {
  test('lints without a word of warning', async (t) => {
    const helm = await tool(t, 'helm')
    if (helm === undefined) return
    const out = await helm(['lint', '--strict', CHART])
    assert.doesNotMatch(out, /WARNING|ERROR/)
  })

  test('with its defaults it is what kustomize gives', async (t) => {
    const [helm, kubectl] = [await tool(t, 'helm'), await tool(t, 'kubectl')]
    if (helm === undefined || kubectl === undefined) return
    const base = objectsOf(await kubectl(['kustomize', MANIFESTS]))
    assert.deepEqual(comparable(await render(helm)), comparable(base))
    const overlay = objectsOf(await kubectl(['kustomize', join(MANIFESTS, 'overlays/prometheus-operator')]))
    const monitored = comparable(await render(helm, '--set', 'monitoring.enabled=true'))
    const wanted = comparable(overlay)
    // Theirs serves every shard of the namespace; a release is one shard.
    for (const each of [monitored, wanted])
      delete (each['ServiceMonitor domainpilot'] as { spec: { selector?: object } }).spec.selector
    assert.deepEqual(monitored, wanted)
  })

  test('its versions are those of the package', async () => {
    const { version } = JSON.parse(await readFile(join(MANIFESTS, '../package.json'), 'utf8')) as { version: string }
    const chart = await readFile(join(CHART, 'Chart.yaml'), 'utf8')
    assert.match(chart, new RegExp(`^version: ${version}$`, 'm'))
    assert.match(chart, new RegExp(`^appVersion: ${version}$`, 'm'))
    assert.match(
      await readFile(join(MANIFESTS, 'default/kustomization.yaml'), 'utf8'),
      new RegExp(`newTag: ${version}`),
    )
  })

  test('values arrive where they belong', async (t) => {
    const helm = await tool(t, 'helm')
    if (helm === undefined) return
    const values = [
      'appSelector=shard=a',
      'namespaces={one,two}',
      'flags.sweep-schedule=*/5 * * * *',
      'image.repository=registry.example/domainpilot',
      'image.tag=v9',
      'credentials.existingSecret=mine',
      'serviceAccount.name=robot',
      'podAnnotations.team=web',
      'networkPolicy.enabled=false',
      'podDisruptionBudget.enabled=false',
      'admissionPolicy.enabled=false',
      'crds.install=false',
    ]
    const objects = await render(helm, ...values.flatMap((each) => ['--set', each]))
    const names = objects.map(nameOf).sort()
    assert.deepEqual(names, [
      'ClusterRole domainpilot',
      'ClusterRoleBinding domainpilot',
      'Deployment domainpilot',
      'Role domainpilot',
      'RoleBinding domainpilot',
      'Service domainpilot',
      'ServiceAccount robot',
    ])
    const text = JSON.stringify(objects.find(({ kind }) => kind === 'Deployment'))
    assert.match(
      text,
      /"args":\["run","--app-selector=shard=a","--namespace=one","--namespace=two","--sweep-schedule=\*\/5 \* \* \* \*"\]/,
    )
    for (const part of [
      'registry.example/domainpilot:v9',
      '"name":"mine"',
      '"serviceAccountName":"robot"',
      '"team":"web"',
    ])
      assert.ok(text.includes(part), part)
    const bindings = objects.filter(({ kind }) => kind.endsWith('Binding'))
    for (const binding of bindings) assert.match(JSON.stringify(binding), /"name":"robot","namespace":"domainpilot"/)
  })

  for (const [value, field] of [
    ['replcas=3', 'replcas'],
    ['replicas=-1', 'replicas'],
    ['image.pullPolicy=Sometimes', 'image/pullPolicy'],
    ['crds.install=maybe', 'crds/install'],
    ['flags.Sweep=1', 'Sweep'],
    ['monitoring.interval=soon', 'monitoring/interval'],
  ])
    test(`${value} is refused and the field named`, async (t) => {
      const helm = await tool(t, 'helm')
      if (helm === undefined) return
      await assert.rejects(render(helm, '--set', String(value)), (error: Error) => {
        assert.ok(error.message.replaceAll('.', '/').includes(String(field)), error.message)
        return true
      })
    })

  test('installed, upgraded and uninstalled on a real API server; CRDs and objects stay', async (t) => {
    const [helm, kubectl] = [await tool(t, 'helm'), await tool(t, 'kubectl')]
    if (helm === undefined || kubectl === undefined) return
    const server = await apiServer(t)
    if (server === undefined) return
    // Helm installs them itself, and takes over nothing that it did not install.
    await server.deleteCrds()
    const access = ['--kubeconfig', server.kubeconfig]
    const release = ['domainpilot', CHART, ...access, '--namespace', 'domainpilot']
    const unwaited = ['--wait=hookOnly']
    await helm(['install', ...release, '--create-namespace', ...unwaited])
    await kubectl([
      'wait',
      ...access,
      '--for=condition=Established',
      'crd/serverpilotapps.domainpilot.dev',
      '--timeout=30s',
    ])
    await kubectl(['apply', ...access, '-n', 'domainpilot', '-f', '-'], app)
    await helm(['upgrade', ...release, '--set', 'replicas=3', ...unwaited])
    const deployment = await kubectl([
      'get',
      ...access,
      '-n',
      'domainpilot',
      'deployment/domainpilot',
      '-o',
      'jsonpath={.spec.replicas}',
    ])
    assert.equal(deployment, '3')
    await helm(['uninstall', 'domainpilot', ...access, '--namespace', 'domainpilot'])
    const left = await kubectl(['get', ...access, '-n', 'domainpilot', 'serverpilotapp/network', '-o', 'name'])
    assert.equal(left.trim(), 'serverpilotapp.domainpilot.dev/network')
    await assert.rejects(kubectl(['get', ...access, '-n', 'domainpilot', 'deployment/domainpilot']), /NotFound/)
    await helm(['install', ...release, ...unwaited])
  })
})

const app = JSON.stringify({
  apiVersion: 'domainpilot.dev/v1alpha1',
  kind: 'ServerPilotApp',
  metadata: { name: 'network' },
  spec: { appId: 'AAAAAAAAAAAAAAAA' },
})
