import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tool } from '../manifests/tools.ts'
import { until } from './api-server.ts'
import { createWorld } from './world.ts'

/** Knative's definition, as far as names go. */
const KNATIVE = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'domainmappings.serving.knative.dev' },
  spec: {
    group: 'serving.knative.dev',
    scope: 'Namespaced',
    names: {
      kind: 'DomainMapping',
      plural: 'domainmappings',
      singular: 'domainmapping',
      shortNames: ['dm'],
      categories: ['all', 'knative', 'serving'],
    },
    versions: [
      {
        name: 'v1beta1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
}

test("two-kinds-of-one-name: beside Knative's, ours are served, and found by their short and full names", {
  timeout: 120_000,
}, async (t) => {
  const kubectl = await tool(t, 'kubectl')
  const world = kubectl === undefined ? undefined : await createWorld(t)
  if (kubectl === undefined || world === undefined) return
  const { server, namespace } = world
  const ask = (...words: string[]) => kubectl(['--kubeconfig', server.kubeconfig, '-n', namespace, ...words])
  const definitions = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' }
  await server.admin.custom.createClusterCustomObject({ ...definitions, body: KNATIVE })
  const theirs = {
    apiVersion: 'serving.knative.dev/v1beta1',
    kind: 'DomainMapping',
    metadata: { name: 'theirs.example.com' },
    spec: { ref: { name: 'theirs', kind: 'Service', apiVersion: 'serving.knative.dev/v1' } },
  }
  const serving = { group: 'serving.knative.dev', version: 'v1beta1', namespace, plural: 'domainmappings' }
  await until('theirs is served', () =>
    server.admin.custom.createNamespacedCustomObject({ ...serving, body: theirs }).then(
      () => true,
      () => false,
    ),
  )
  await world.map('shop')
  const daemon = world.daemon()
  await until('ours is served', () => world.listed().includes('shop.example.com'))
  assert.deepEqual(world.listed(), ['by-hand.example.org', 'shop.example.com'])
  for (const resource of ['dmap', 'domainmappings.domainpilot.dev'])
    assert.equal(await ask('get', resource, '-o', 'name'), 'domainmapping.domainpilot.dev/shop\n', resource)
  for (const resource of ['dm', 'domainmappings.serving.knative.dev'])
    assert.equal(await ask('get', resource, '-o', 'name'), 'domainmapping.serving.knative.dev/theirs.example.com\n')
  daemon.child.kill('SIGTERM')
  assert.equal(await daemon.ended, 0)
})
