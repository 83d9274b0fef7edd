import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { KubeConfig, RbacAuthorizationV1Api } from '@kubernetes/client-node'
import { parseAllDocuments } from 'yaml'
import { type ApiServer, apiServer, until } from './api-server.ts'
import { createWorld, type Daemon, type World } from './world.ts'

/**
 * The rights of manifests/rbac/rbac.yaml are all that the daemon needs, and no more. The API server's audit log is the witness: with
 * all rights nothing is refused and every one is used; without one, exactly that is refused, and the daemon says so.
 */

interface Rule {
  apiGroups: string[]
  resources: string[]
  verbs: string[]
}

interface Rights {
  /** Of the ClusterRole and of the Role. */
  cluster: Rule[]
  own: Rule[]
}

/** One verb on one resource. */
interface Right {
  scope: keyof Rights
  group: string
  resource: string
  verb: string
}

async function readRights(file = 'rbac/rbac.yaml'): Promise<Rights> {
  const path = join(import.meta.dirname, '../../manifests', file)
  const documents = parseAllDocuments(await readFile(path, 'utf8')).map(
    (each) => each.toJS() as { kind: string; rules?: Rule[] },
  )
  const rulesOf = (kind: string) => documents.find((each) => each.kind === kind)?.rules ?? []
  return { cluster: rulesOf('ClusterRole'), own: rulesOf('Role') }
}

const rightsOf = (rights: Rights): Right[] =>
  (['cluster', 'own'] as const).flatMap((scope) =>
    rights[scope].flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb) => ({ scope, group, resource, verb }))),
      ),
    ),
  )

function without(rights: Rights, right: Right): Rights {
  const rules = rights[right.scope].flatMap(({ apiGroups, resources, verbs }): Rule[] => {
    if (!apiGroups.includes(right.group)) return [{ apiGroups, resources, verbs }]
    return resources.map((resource) => {
      const kept = resource === right.resource ? verbs.filter((verb) => verb !== right.verb) : verbs
      return { apiGroups, resources: [resource], verbs: kept }
    })
  })
  return { ...rights, [right.scope]: rules.filter(({ verbs }) => verbs.length > 0) }
}

/** A server that cannot stream a list, as older ones: there the daemon lists page by page. Elsewhere it gets along without `list`. */
const PAGES = { 'feature-gates': 'WatchList=false' }

/** A world whose app uses all that the daemon can do in a cluster, and a daemon with these rights. */
async function start(
  t: TestContext,
  server: ApiServer,
  name: string,
  rights: Rights,
  where: 'Everywhere' | 'Own' = 'Everywhere',
) {
  const spec = {
    deletionPolicy: 'Delete',
    allowedNamespaces: { from: 'Selector', selector: { matchLabels: { tenant: name } } },
  }
  const world = await createWorld(t, { shared: server, spec })
  assert.ok(world && server.own)
  const { core } = server.admin
  const access = new KubeConfig()
  access.loadFromFile(server.kubeconfig)
  const rbac = access.makeApiClient(RbacAuthorizationV1Api)
  const tenant = await server.namespace('tenant')
  const labelled = await core.readNamespace({ name: tenant })
  const labels = { ...labelled.metadata?.labels, tenant: name }
  await core.replaceNamespace({ name: tenant, body: { ...labelled, metadata: { ...labelled.metadata, labels } } })

  const kubeconfig = await server.own.user(name)
  const metadata = { name }
  const subjects = [{ kind: 'User', name, apiGroup: 'rbac.authorization.k8s.io' }]
  const roleRef = (kind: string) => ({ kind, name, apiGroup: 'rbac.authorization.k8s.io' })
  await rbac.createClusterRole({ body: { metadata, rules: rights.cluster } })
  await rbac.createClusterRoleBinding({ body: { metadata, subjects, roleRef: roleRef('ClusterRole') } })
  const home = where === 'Own' ? world.namespace : world.home
  await rbac.createNamespacedRole({ namespace: home, body: { metadata, rules: rights.own } })
  const binding = { metadata, subjects, roleRef: roleRef('Role') }
  await rbac.createNamespacedRoleBinding({ namespace: home, body: binding })
  await world.map('shop', tenant)
  const flags = ['--namespace', world.namespace, '--record-namespace', home]
  const daemon = world.daemon({ kubeconfig, flags })
  return { world, daemon }
}

/** Everything once: served, told again in a series, given back when the object goes. */
async function story(world: World): Promise<void> {
  const served = () => world.listed().includes('shop.example.com')
  await until('the shop is served', served)
  await until('an Event tells it', async () => {
    const { items } = await world.server.admin.events.listNamespacedEvent({ namespace: world.namespace })
    return items.some(({ reason }) => reason === 'DomainsAdded')
  })
  world.simulator.state.setDomains(world.appId, ['by-hand.example.org'])
  await until('the shop is served again', served)
  await until('the Event counts on', async () => {
    const { items } = await world.server.admin.events.listNamespacedEvent({ namespace: world.namespace })
    return items.some(({ reason, series }) => reason === 'DomainsAdded' && (series?.count ?? 0) > 1)
  })
  await until('a status is written', async () => (await world.read('ServerPilotApp', 'network'))?.status !== undefined)
  await world.delete('ServerPilotApp', 'network')
  await until('the object is gone', async () => (await world.read('ServerPilotApp', 'network')) === undefined)
}

const seen = ({ verb, resource }: Right, code: RegExp): RegExp => new RegExp(`^${verb} ${resource} ${code.source}$`)

/** Lets the story begin and waits for `over`. */
async function tryStory(world: World, daemon: Daemon, over: () => Promise<boolean>): Promise<void> {
  let again = false
  await until(
    'the right is missed and named',
    async () => {
      if (!again && daemon.log().includes('"Applied"')) {
        again = true
        world.simulator.state.setDomains(world.appId, ['by-hand.example.org'])
      }
      return await over()
    },
    45_000,
  )
}

test('with all rights nothing is refused, and every right is used', async (t) => {
  const server = await apiServer(t, PAGES)
  if (server === undefined) return
  if (server.own === undefined) return t.skip('needs users of its own: set KUBEBUILDER_ASSETS')
  const rights = await readRights()
  const { world, daemon } = await start(t, server, 'all-rights', rights)
  await story(world)
  daemon.child.kill('SIGTERM')
  assert.equal(await daemon.ended, 0)
  const calls = await server.own.calls('all-rights')
  assert.deepEqual(
    calls.filter((call) => call.endsWith(' 403')),
    [],
  )
  const unused = rightsOf(rights).filter((right) => !calls.some((call) => seen(right, /(?!403)\d+/).test(call)))
  assert.deepEqual(unused, [])
})

test('without any one right, exactly that one is refused, and the log names it', async (t) => {
  const server = await apiServer(t, PAGES)
  if (server === undefined) return
  if (server.own === undefined) return t.skip('needs users of its own: set KUBEBUILDER_ASSETS')
  const { own } = server
  const rights = await readRights()
  const open = rightsOf(rights)
  const worker = async (): Promise<void> => {
    for (let right = open.pop(); right !== undefined; right = open.pop()) {
      const name = `no-${right.verb}-${right.resource.replace('/', '-')}`
      const { world, daemon } = await start(t, server, name, without(rights, right))
      await tryStory(world, daemon, async () => {
        const refused = (await own.calls(name)).filter((call) => call.endsWith(' 403'))
        return refused.some((call) => seen(right, /403/).test(call)) && namesRight(daemon, right)
      }).catch((error: unknown) => {
        throw new Error(`${JSON.stringify(right)}\n${daemon.log()}`, { cause: error })
      })
      daemon.child.kill('SIGKILL')
      const others = (await own.calls(name)).filter((call) => call.endsWith(' 403') && !seen(right, /403/).test(call))
      // A watch that is refused is explained by a list, and what one lacks the other may do.
      assert.deepEqual(others, [], name)
    }
  }
  await Promise.all([worker(), worker(), worker()])
})

test('with the rights of the overlay for one namespace, its daemon serves the apps of its own; statuses elsewhere are not its to write', async (t) => {
  const server = await apiServer(t, PAGES)
  if (server === undefined) return
  if (server.own === undefined) return t.skip('needs users of its own: set KUBEBUILDER_ASSETS')
  const rights = await readRights('overlays/namespaced/rbac.yaml')
  const { world, daemon } = await start(t, server, 'one-namespace', rights, 'Own')
  await story(world)
  daemon.child.kill('SIGTERM')
  assert.equal(await daemon.ended, 0)
  const refused = (await server.own.calls('one-namespace')).filter((call) => call.endsWith(' 403'))
  // The mapping stands in the namespace of a tenant.
  const elsewhere = /^(create events|patch events|patch domainmappings\/status) 403$/
  assert.deepEqual(
    refused.filter((call) => !elsewhere.test(call)),
    [],
  )
})

/** Whether the log says in the API server's words what may not be done. */
function namesRight(daemon: Daemon, { verb, resource }: Right): boolean {
  return new RegExp(`cannot ${verb} resource \\\\?"${resource}\\\\?"`).test(daemon.log())
}
