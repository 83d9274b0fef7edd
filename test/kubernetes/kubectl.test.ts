import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { withReader } from '../../src/cli/cluster-reader.ts'
import { silentIo } from '../cli/silent-io.ts'
import { until } from './api-server.ts'
import {
  forbidApprovals,
  type KubectlWorld,
  kubectlWorld,
  NAMES,
  OBJECTS,
  RECORDS,
  SECRETS,
  type User,
} from './kubectl-world.ts'

const run = promisify(execFile)
const READ = { ...OBJECTS, verbs: ['get', 'list'] }
const FOLLOW = { ...OBJECTS, verbs: ['get', 'list', 'watch'] }
const APPROVE = { apiGroups: ['domainpilot.dev'], resources: ['serverpilotapps'], verbs: ['get', 'patch'] }
const LEASES = {
  apiGroups: ['coordination.k8s.io'],
  resources: ['leases'],
  verbs: ['get', 'watch', 'create', 'update'],
}

/** The writes that ServerPilot got. */
const written = ({ simulator }: KubectlWorld) => simulator.calls.filter(({ method }) => method !== 'GET').length

describe('kubectl domainpilot on a real API server', { timeout: 240_000 }, () => {
  test('beside a daemon', async (t) => {
    const world = await kubectlWorld(t)
    if (world === undefined) return
    const { namespace, home } = world
    const nobody = await world.user('nobody')
    const viewer = await world.user('viewer')
    await viewer.may(namespace, READ)
    const planner = await world.user('planner')
    await planner.may('', FOLLOW)
    await planner.may(namespace, SECRETS)
    await planner.may(home, RECORDS)
    await world.daemon()
    const hash = await world.waitingPlan()

    await t.test('kubectl finds the plugin', async () => {
      const kubectl = join(process.env.KUBEBUILDER_ASSETS ?? '', 'kubectl')
      const env = { PATH: `${world.bin}:${process.env.PATH}`, KUBECONFIG: viewer.kubeconfig }
      const { stdout } = await run(kubectl, ['domainpilot', 'status', '--help'], { env })
      assert.match(stdout, /Usage: kubectl domainpilot status/)
      const found = await run(kubectl, ['domainpilot', 'status'], { env })
      assert.match(found.stdout, new RegExp(`${namespace}/network`))
    })

    await t.test('status: get and list on the two kinds are enough', async () => {
      const { status, stdout, stderr } = await viewer.run('status')
      assert.equal(status, 0, stderr)
      assert.match(stdout, /1 plan to approve/)
      assert.match(stdout, new RegExp(`kubectl domainpilot approve ${namespace}/network ${hash}`))
      assert.match(stdout, /h11\.example\.com/)
      assert.doesNotMatch(stdout, /never/)
      const json = JSON.parse((await viewer.run('status', '-o', 'json')).stdout)
      assert.equal(json.apps[0].plan.hash, hash)
      assert.equal(json.mappings.length, 7)
      assert.deepEqual(json.apps[0].domains, { desired: 7, observed: 13, owned: 12, foreign: 1 })
    })

    await t.test('status: -n and -A', async () => {
      const elsewhere = await viewer.run('status', '-n', home)
      assert.equal(elsewhere.status, 1)
      assert.match(elsewhere.stderr, new RegExp(`cannot list .*namespace "${home}"`))
      assert.match(elsewhere.stderr, new RegExp(`kubectl create role domainpilot-reader -n ${home}`))
      const all = await viewer.run('status', '-A')
      assert.equal(all.status, 1)
      assert.match(all.stderr, /at the cluster scope[\s\S]*kubectl create clusterrole[\s\S]*with -n/)
      assert.match((await planner.run('status', '-A')).stdout, new RegExp(`${namespace}/network`))
      const empty = await planner.run('status', '-n', home)
      assert.match(empty.stdout, /No apps yet/)
      assert.equal((await nobody.run('status')).status, 1)
    })

    await t.test('explain: off the objects', async () => {
      const wanted = await viewer.run('explain', 'h11.example.com')
      assert.equal(wanted.status, 0, wanted.stderr)
      assert.match(wanted.stdout, new RegExp(`wanted by +${namespace}/h11`))
      assert.match(wanted.stdout, /held by +\S+\/network \(as its status says\)/)
      assert.match(wanted.stderr, new RegExp(`Only the namespace ${namespace} was read`))
      assert.match(wanted.stderr, /ServerPilot itself was not asked/)
      const leaving = await viewer.run('explain', 'h00.example.com')
      assert.match(leaving.stdout, /wanted by +nobody/)
      assert.match(leaving.stdout, new RegExp(`kubectl domainpilot approve ${namespace}/network ${hash}`))
      const foreign = await viewer.run('explain', 'by-hand.example.org')
      assert.match(foreign.stdout, /No mapping wants it/)
      const fresh = await planner.run('explain', 'by-hand.example.org', '--fresh')
      assert.match(fresh.stdout, /foreign: not ours/)
      assert.equal((await nobody.run('explain', 'h00.example.com')).status, 1)
    })

    await t.test('plan: with read rights, and it writes nothing', async () => {
      const before = written(world)
      const { status, stdout, stderr } = await planner.run('plan', '-o', 'json')
      assert.equal(status, 0, stderr)
      const { plans } = JSON.parse(stdout)
      assert.equal(plans[0].hash, hash)
      assert.equal(plans[0].refused.reason, 'RemovalRefused')
      assert.deepEqual(plans[0].foreign, ['by-hand.example.org'])
      assert.equal(written(world), before)
    })

    await t.test('plan: each right that is missing is named', async () => {
      const noSecret = await world.user('nosecret')
      await noSecret.may('', FOLLOW)
      await noSecret.may(home, RECORDS)
      const first = await noSecret.run('plan')
      assert.equal(first.status, 1)
      assert.match(first.stderr, /NotAllowed: secrets "serverpilot" is forbidden/)
      assert.match(
        first.stderr,
        new RegExp(`-n ${namespace} --verb=get --resource=secrets --resource-name=serverpilot`),
      )
      assert.match(first.stderr, /kubectl domainpilot status/)

      const noRecord = await world.user('norecord')
      await noRecord.may('', FOLLOW)
      await noRecord.may(namespace, SECRETS)
      const second = await noRecord.run('plan')
      assert.equal(second.status, 1)
      assert.match(second.stderr, new RegExp(`-n ${home} --verb=get --resource=configmaps`))

      assert.match((await nobody.run('plan')).stderr, /cannot (list|watch)/)
      const elsewhere = await planner.run('plan', '--record-namespace', namespace)
      assert.equal(elsewhere.status, 1)
      assert.match(elsewhere.stderr, /forbidden/)
      await planner.may(namespace, RECORDS)
      const wrong = await planner.run('plan', '--record-namespace', namespace)
      assert.equal(wrong.status, 1)
      assert.match(wrong.stderr, /counts 12 host\(s\) of ours: name the daemon's namespace with --record-namespace/)
    })

    await t.test('plan: with rights in one namespace it reads that one', async () => {
      const local = await world.user('local')
      await local.may(namespace, FOLLOW, SECRETS)
      await local.may(home, RECORDS)
      const { status, stdout, stderr } = await local.run('plan')
      assert.equal(status, 0, stderr)
      assert.match(stdout, new RegExp(hash))
      assert.match(stderr, new RegExp(`Only ${namespace} is read`))
      assert.match((await local.run('apply')).stderr, /Nothing was applied: mappings of every namespace/)
    })

    await t.test('apply: not beside the daemon', async () => {
      const operator = await world.user('operator')
      await operator.may('', FOLLOW)
      await operator.may(namespace, SECRETS)
      await operator.may(home, RECORDS)
      const before = written(world)
      const noLease = await operator.run('apply')
      assert.equal(noLease.status, 1)
      assert.match(noLease.stderr, /leases.*is forbidden[\s\S]*--verb=get,watch,create,update/)
      await operator.may(home, LEASES)
      const { status, stderr } = await operator.run('apply')
      assert.equal(status, 1)
      assert.match(stderr, /a daemon leads in this cluster/)
      assert.equal(written(world), before)
      const mistyped = await operator.run('apply', '--approve', '0123456789abcdef')
      assert.equal(mistyped.status, 1)
      const words = `No plan that waits has the hash 0123456789abcdef.*\n  ${namespace}/network: ${hash}`
      assert.match(mistyped.stderr, new RegExp(words), 'a-mistyped-approval')
    })

    await t.test('approve: what it refuses', async () => {
      await refusals(world, viewer, hash)
    })

    await t.test('approve: on a terminal it shows the removals and asks', async () => {
      const approver = await world.user('approver')
      await approver.may(namespace, APPROVE)
      const no = await approver.atTerminal('n', 'approve', 'network')
      assert.match(no.stdout, /h00\.example\.com[\s\S]*Let 5 hosts go, once\?[\s\S]*Nothing was approved/)
      assert.equal((await world.app()).metadata.annotations?.['domainpilot.dev/approve-plan'], undefined)
      const { status, stdout } = await approver.atTerminal('y', 'approve', 'network')
      assert.equal(status, 0, stdout)
      assert.match(stdout, /network: 5 hosts removed/)
      assert.equal((await world.app()).metadata.annotations?.['domainpilot.dev/approve-plan'], hash)
      assert.deepEqual(world.listed(), ['by-hand.example.org', ...NAMES.slice(5).map((name) => `${name}.example.com`)])
      const again = await approver.run('approve', 'network', hash)
      assert.equal(again.status, 1)
      assert.match(again.stderr, /there is nothing to approve/)
    })
  })

  test('without a daemon', async (t) => {
    const world = await kubectlWorld(t)
    if (world === undefined) return
    const { namespace, home } = world
    const daemon = await world.daemon()
    const hash = await world.waitingPlan()
    daemon.child.kill('SIGTERM')
    assert.equal((await daemon.ended()).status, 0)
    const operator = await world.user('operator')
    await operator.may('', FOLLOW, { ...SECRETS, verbs: ['get'] })
    await operator.may(home, { ...RECORDS, verbs: ['get', 'create', 'patch'] }, LEASES)

    await t.test('approve sets the annotation and does not wait when told so', async () => {
      const approver = await world.user('approver')
      await approver.may(namespace, APPROVE)
      const { status, stderr } = await approver.run('approve', `${namespace}/network`, hash, '--wait=false')
      assert.equal(status, 0, stderr)
      assert.equal((await world.app()).metadata.annotations?.['domainpilot.dev/approve-plan'], hash)
    })

    await t.test('approve: the API server refuses an object that has changed since it was shown', async () => {
      const settings = { kubeconfig: operator.kubeconfig, context: undefined, kubeApiQps: 50 }
      await withReader(silentIo(), settings, async (reader) => {
        const shown = await reader.app(namespace, 'network')
        await operator.may(namespace, APPROVE)
        await assert.rejects(reader.approve({ ...shown, resourceVersion: '1' }, hash), { code: 409 })
        await reader.approve(shown, hash)
      })
    })

    await t.test('approve: an admission policy refuses in its own words', async () => {
      await forbidApprovals(world)
      const approver = await world.user('refused')
      await approver.may(namespace, APPROVE)
      await until('the policy is in force', async () => {
        const { status, stderr } = await approver.run('approve', 'network', hash, '--wait=false')
        return status === 1 && /only the on-call person approves/.test(stderr)
      })
    })

    await t.test('plan writes nothing, also where it may', async () => {
      await world.map('new')
      const planner = await world.user('planner')
      await planner.may('', FOLLOW)
      await planner.may(namespace, SECRETS)
      await planner.may(home, RECORDS)
      const before = await everything(world)
      for (const user of [planner, operator]) {
        const { status, stdout, stderr } = await user.run('plan', '--exit-code')
        assert.equal(status, 2, stderr)
        assert.match(stdout, /\+ new\.example\.com/)
      }
      assert.deepEqual(await everything(world), before)
    })

    await t.test('apply takes the Lease, applies, and gives it back', async () => {
      const { status, stdout, stderr } = await operator.run('apply')
      assert.equal(status, 0, `${stdout}${stderr}`)
      assert.match(stdout, /1 added, 5 removed, read back and compared/)
      assert.equal(world.listed().length, 9)
      const lease = await world.server.admin.coordination.readNamespacedLease({ namespace: home, name: 'domainpilot' })
      assert.equal(lease.spec?.holderIdentity ?? '', '')
    })
  })
})

/** What a plan might have written. */
async function everything(world: KubectlWorld): Promise<unknown> {
  const { admin } = world.server
  const { home: namespace } = world
  const records = await admin.core.listNamespacedConfigMap({ namespace })
  const leases = await admin.coordination.listNamespacedLease({ namespace })
  const events = await admin.events.listNamespacedEvent({ namespace: world.namespace })
  const versions = [...records.items, ...leases.items, ...events.items].map(({ metadata }) => metadata?.resourceVersion)
  return [versions.sort(), (await world.app()).metadata.resourceVersion, written(world)]
}

async function refusals(world: KubectlWorld, viewer: User, hash: string): Promise<void> {
  const other = await viewer.run('approve', 'network', '0123456789abcdef')
  assert.equal(other.status, 3)
  assert.match(other.stderr, new RegExp(`0123456789abcdef[\\s\\S]*${hash}`))
  const blind = await viewer.run('approve', 'network')
  assert.equal(blind.status, 64)
  assert.match(blind.stderr, new RegExp(`kubectl domainpilot approve ${world.namespace}/network ${hash}`))
  const noRight = await viewer.run('approve', 'network', hash)
  assert.equal(noRight.status, 1)
  assert.match(noRight.stderr, /serverpilotapps\.domainpilot\.dev "network" is forbidden: User "viewer" cannot patch/)
  assert.equal((await viewer.run('approve', 'a/b/c')).status, 64)
  assert.match((await viewer.run('approve', 'lost')).stderr, /"lost" not found/)
  const { metadata } = await world.app()
  assert.equal(metadata.annotations?.['domainpilot.dev/approve-plan'], undefined)
  await until('nothing went', () => world.listed().length === 13)
}
