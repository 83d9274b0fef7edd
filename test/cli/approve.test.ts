import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { annotate } from '../../src/cli/approve.ts'
import { type AppObject, appObject } from '../../src/cli/cluster-reader.ts'
import { KubernetesError } from '../../src/kubernetes/http.ts'

const HASH = '0123456789abcdef'
const changed = new KubernetesError({ code: 409, reason: 'Conflict', message: 'the object has been modified' })

function app(resourceVersion: string, hash: string | undefined): AppObject {
  const plan = hash === undefined ? {} : { plan: { hash, removals: ['a.example.com'], reason: 'RemovalRefused' } }
  return appObject({ metadata: { namespace: 'wordpress', name: 'network', resourceVersion }, status: plan })
}

/** An API server whose object changes once, after it was shown. */
function server(now: AppObject) {
  const approved: string[] = []
  return {
    approved,
    app: async () => now,
    async approve({ resourceVersion }: AppObject) {
      if (resourceVersion !== now.resourceVersion) throw changed
      approved.push(resourceVersion)
    },
  }
}

describe('an object that changes while somebody approves', () => {
  test('the same plan: approved all the same', async () => {
    const fake = server(app('2', HASH))
    assert.equal(await annotate(fake, app('1', HASH), HASH), undefined)
    assert.deepEqual(fake.approved, ['2'])
  })
  test('another plan is not approved unseen', async () => {
    const fake = server(app('2', 'fedcba9876543210'))
    assert.deepEqual(await annotate(fake, app('1', HASH), HASH), { hash: 'fedcba9876543210' })
    assert.deepEqual(fake.approved, [])
  })
  test('no plan any more', async () => {
    const fake = server(app('2', undefined))
    assert.deepEqual(await annotate(fake, app('1', HASH), HASH), { hash: undefined })
  })
  test('any other refusal comes through, in the words of the API server', async () => {
    const words = "ValidatingAdmissionPolicy 'approvers' denied request"
    const denied = new KubernetesError({ code: 403, reason: 'Forbidden', message: words })
    const fake = { ...server(app('1', HASH)), approve: () => Promise.reject(denied) }
    await assert.rejects(annotate(fake, app('1', HASH), HASH), denied)
  })
})
