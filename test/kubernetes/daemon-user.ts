import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { KubeConfig, RbacAuthorizationV1Api, type V1PolicyRule } from '@kubernetes/client-node'
import { parseAllDocuments } from 'yaml'
import type { World } from './world.ts'

/** A user with the rights of manifests/rbac/rbac.yaml, which a test takes away and gives back. */
export interface DaemonUser {
  kubeconfig: string
  /** Of the ClusterRole, as installed. */
  rules: readonly V1PolicyRule[]
  /** Changes what the user may do in all namespaces; none: nothing. */
  allow(rules: readonly V1PolicyRule[]): Promise<void>
}

/** Makes the user on an API server that was started for the tests. */
export async function createDaemonUser(world: World, name: string): Promise<DaemonUser> {
  const { server, home } = world
  if (server.own === undefined) throw new Error('needs users of its own: set KUBEBUILDER_ASSETS')
  const access = new KubeConfig()
  access.loadFromFile(server.kubeconfig)
  const rbac = access.makeApiClient(RbacAuthorizationV1Api)
  const file = join(import.meta.dirname, '../../manifests/rbac/rbac.yaml')
  const documents = parseAllDocuments(await readFile(file, 'utf8')).map(
    (each) => each.toJS() as { kind: string; rules?: V1PolicyRule[] },
  )
  const rulesOf = (kind: string) => documents.find((each) => each.kind === kind)?.rules ?? []

  const metadata = { name }
  const subjects = [{ kind: 'User', name, apiGroup: 'rbac.authorization.k8s.io' }]
  const roleRef = (kind: string) => ({ kind, name, apiGroup: 'rbac.authorization.k8s.io' })
  const rules = rulesOf('ClusterRole')
  await rbac.createClusterRole({ body: { metadata, rules } })
  await rbac.createClusterRoleBinding({ body: { metadata, subjects, roleRef: roleRef('ClusterRole') } })
  await rbac.createNamespacedRole({ namespace: home, body: { metadata, rules: rulesOf('Role') } })
  const binding = { metadata, subjects, roleRef: roleRef('Role') }
  await rbac.createNamespacedRoleBinding({ namespace: home, body: binding })
  return {
    kubeconfig: await server.own.user(name),
    rules,
    async allow(next) {
      await rbac.replaceClusterRole({ name, body: { metadata, rules: [...next] } })
    },
  }
}
