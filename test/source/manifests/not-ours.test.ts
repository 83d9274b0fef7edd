import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { parseDocuments } from '../../../src/api/yaml.ts'
import { validateCommand } from '../../../src/cli/validate.ts'
import { EXIT } from '../../../src/setup/io.ts'
import { app, folder, mapping, started, until, write } from './folder.ts'

const SERVICE_TEMPLATE = `{{- if .Values.service.enabled -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "shop.fullname" . }}
  labels:
    {{- include "shop.labels" . | nindent 4 }}
spec:
  type: {{ .Values.service.type }}
{{- end }}
`

/** What lies beside objects and is meant for other programs. */
const FOREIGN: Record<string, string> = {
  'Chart.yaml': 'apiVersion: v2\nname: domainpilot\nversion: 0.1.0\n',
  'values.yaml': 'domain: shop.example.com\nssl: {auto: true}\nimage: {repository: shop, tag: "1"}\n',
  'kustomization.yaml': 'resources: [a.yaml]\n',
  'other.yaml': 'apiVersion: kustomize.config.k8s.io/v1beta1\nresources: [a.yaml]\n',
  'package.json': '{"name": "shop", "version": "1.0.0", "kind": null}',
  'playbook.yaml': '- hosts: all\n  tasks: []\n',
  'compose.yaml': 'services: {shop: {image: shop}}\n',
  'service.yaml': SERVICE_TEMPLATE,
  'labels.yaml':
    'apiVersion: v1\nkind: Service\nmetadata:\n  labels:\n    {{- include "shop.labels" . | nindent 4 }}\n',
  'comment.yaml': '{{/* Which image. */}}\n# The image.\nimage: shop\n',
}

/** What stands between the lines of our own objects in a template. */
const OUR_TEMPLATE = `{{- range .Values.domains }}\n---\n${mapping('shop').replace('shop.example.com', '{{ . }}')}{{- end }}\n`

/** Runs `validate` on a folder. */
async function validate(path: string, output = 'text') {
  let out = ''
  const io = { out: (text: string) => (out += text), err: () => undefined, environment: {} } as unknown as Parameters<
    typeof validateCommand
  >[0]
  return { status: await validateCommand(io, { output }, [path]), lines: out.split('\n') }
}

describe('files-that-are-not-ours', () => {
  test('they are passed over: the source goes on, and follows its own objects', async (t) => {
    const path = await folder(t)
    await write(path, { ...FOREIGN, 'network.yaml': app(), 'a.yaml': mapping('a') })
    const { source, domains } = await started(t, [path])
    assert.deepEqual(source.faults(), [])
    assert.equal(source.failure(), undefined)
    await write(path, { 'a.yaml': 'name: not ours any more\n' })
    await until(() => assert.deepEqual(domains(), []))
    assert.equal(source.failure(), undefined)
  })

  test('validate names each once, and a template as one', async (t) => {
    const path = await folder(t)
    await write(path, { ...FOREIGN, 'a.yaml': mapping('a'), 'two.yaml': 'a: 1\n---\nb: 1\n' })
    const { status, lines } = await validate(path)
    assert.equal(status, EXIT.done)
    for (const name of [...Object.keys(FOREIGN), 'two.yaml']) {
      const [line, ...more] = lines.filter((each) => each.startsWith(`${join(path, name)}: `))
      const template = ['service.yaml', 'labels.yaml', 'comment.yaml'].includes(name)
      assert.match(
        line ?? '',
        template
          ? /passed over: a template that does not name domainpilot$/
          : /passed over: without apiVersion and kind/,
      )
      assert.deepEqual(more, [])
    }
    assert.ok(lines.includes('0 app(s) and 1 mapping(s), no fault.'))
    const json = JSON.parse((await validate(path, 'json')).lines.join('\n'))
    assert.deepEqual(json.passedOver[0], { file: join(path, 'Chart.yaml'), what: 'NoObject' })
  })

  test('a template of our objects is one fault, and what its file said before stays', async (t) => {
    const path = await folder(t)
    await mkdir(join(path, 'templates'))
    await write(path, { 'network.yaml': app(), 'templates/shop.yaml': mapping('shop') })
    const { source, domains } = await started(t, [path])
    await write(path, { 'templates/shop.yaml': OUR_TEMPLATE })
    await until(() => assert.equal(source.faults().length, 1))
    assert.match(
      source.failure()?.message ?? '',
      /shop\.yaml:1:1: this is a template \(\{\{ … \}\}\), not YAML: render it first/,
    )
    assert.deepEqual(domains(), ['shop'])
    assert.match((await validate(path)).lines[0] ?? '', /shop\.yaml:1:1: this is a template/)
  })

  const spec = 'spec: {domain: a.example.com, appRef: {name: network}}\n'
  const ours: Record<string, string> = {
    'without apiVersion and kind': `metadata: {name: a}\n${spec}`,
    'with misspelt words for both': `apiversion: domainpilot.dev/v1alpha1\nKind: DomainMapping\n${spec}`,
    'without kind': `apiVersion: domainpilot.dev/v1alpha1\nmetadata: {name: a}\n`,
    'without kind, and a misspelt group': `apiVersion: domainpilt.dev/v1alpha1\nmetadata: {name: a}\n`,
    'without apiVersion': 'kind: ServerPilotApp\n',
    'without apiVersion, and a misspelt kind': 'kind: Domainmaping\n',
    'with the fields of spec at the top': 'appId: AAAA\n',
    'a list without apiVersion': `kind: List\nitems: []\n`,
    'a list without kind': `apiVersion: v1\nitems: [{apiVersion: domainpilot.dev/v1alpha1, kind: DomainMapping, spec: {appRef: {}}}]\n`,
    'a plain list of objects': `- apiVersion: domainpilot.dev/v1alpha1\n  kind: DomainMapping\n  ${spec}`,
    'a Secret without apiVersion': 'kind: Secret\nstringData: {apiKey: x}\n',
    'a file that was cut in its first word': 'apiVer',
    'a file that is broken and no template': 'apiVersion: v1\nkind: [\n',
  }
  for (const [what, text] of Object.entries(ours)) {
    test(`what is meant for us stays a fault: ${what}`, () => {
      const { faults, passedOver } = parseDocuments(text, { file: 'a.yaml' })
      assert.ok(faults.length > 0)
      assert.deepEqual(passedOver, [])
    })
  }
})
