import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { apiServer, until } from '../kubernetes/api-server.ts'
import { MANIFESTS, tool } from './tools.ts'

const ANNOTATION = 'domainpilot.dev/approve-plan'

test('who may set the approval: those with the verb approve; every other edit passes', async (t) => {
  const kubectl = await tool(t, 'kubectl')
  if (kubectl === undefined) return
  const server = await apiServer(t)
  if (server === undefined) return
  if (server.own === undefined) return t.skip('needs users of its own: set KUBEBUILDER_ASSETS')
  const namespace = await server.namespace('admission')
  const as = (kubeconfig: string) => (args: string[], input?: string) =>
    kubectl(['--kubeconfig', kubeconfig, '-n', namespace, ...args], input)
  const admin = as(server.kubeconfig)
  const [editor, approver] = [as(await server.own.user('editor')), as(await server.own.user('approver'))]
  await admin(['apply', '-f', '-'], await readFile(join(MANIFESTS, 'admission/approval.yaml'), 'utf8'))
  const verbs = ['--verb=get,create,update,patch', '--resource=serverpilotapps.domainpilot.dev']
  await admin(['create', 'role', 'edit-apps', ...verbs])
  for (const user of ['editor', 'approver'])
    await admin(['create', 'rolebinding', user, '--role=edit-apps', `--user=${user}`])
  await admin(['create', 'rolebinding', 'approves', '--clusterrole=domainpilot-approver', '--user=approver'])
  const spec = { appId: 'AAAAAAAAAAAAAAAA' }
  const app = (name: string, metadata: object = {}) =>
    JSON.stringify({
      apiVersion: 'domainpilot.dev/v1alpha1',
      kind: 'ServerPilotApp',
      metadata: { name, ...metadata },
      spec,
    })
  await editor(['create', '-f', '-'], app('network'))

  const denied =
    /annotation domainpilot\.dev\/approve-plan approves removals: editor needs the verb approve on serverpilotapps in the namespace admission-\w+; bind the ClusterRole domainpilot-approver/
  const annotate = (who: typeof editor, value: string) =>
    who(['annotate', '--overwrite', 'serverpilotapp/network', value])
  // A policy counts a moment after it was made.
  await until('the policy counts', async () => {
    const refused = await annotate(editor, `${ANNOTATION}=0000000000000000`).then(
      () => false,
      (error: Error) => denied.test(error.message),
    )
    if (!refused) await annotate(admin, `${ANNOTATION}-`)
    return refused
  })
  await assert.rejects(editor(['create', '-f', '-'], app('born', { annotations: { [ANNOTATION]: '1' } })), denied)
  await annotate(approver, `${ANNOTATION}=1111111111111111`)
  await annotate(editor, 'example.com/other=edit')
  await editor(['patch', 'serverpilotapp/network', '--type=merge', '-p', '{"spec":{"suspend":true}}'])
  await assert.rejects(annotate(editor, `${ANNOTATION}=2222222222222222`), denied)
  await annotate(editor, `${ANNOTATION}-`)
  assert.doesNotMatch(await admin(['get', 'serverpilotapp/network', '-o', 'yaml']), /approve-plan/)
})
