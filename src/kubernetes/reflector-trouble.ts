import { messageOf } from '../log/message-of.ts'
import { KubernetesError } from './http.ts'
import { UndecodableLine } from './lines.ts'
import type { Trouble } from './reflector-state.ts'

/** A stream said nothing for longer than a healthy one. */
export class Silence extends Error {
  override readonly name = 'Silence'
}

/** What a failure means for the reflector of a collection, with words that name the cure where somebody has to act. */
export function troubleOf(error: unknown, path: string): { trouble: Trouble; message: string; retryAfter?: number } {
  const kind = path.split('/').at(-1) ?? path
  const words = messageOf(error)
  if (error instanceof Silence) return { trouble: 'silent', message: `${kind}: the API server has fallen silent` }
  if (error instanceof UndecodableLine)
    return { trouble: 'garbled', message: `${kind}: the API server's answer cannot be used: ${words}` }
  if (!(error instanceof KubernetesError))
    return { trouble: 'unreachable', message: `${kind}: the connection to the API server broke: ${words}` }
  const { trouble, cure } = judge(error, kind)
  return {
    trouble,
    message: `${kind}: ${words}${cure === undefined ? '' : `: ${cure}`}`,
    // A server that starts asks for 5 seconds with every 503, however soon it is ready; only 429 is meant for us.
    ...(error.code === 429 && error.retryAfter !== undefined ? { retryAfter: Math.min(error.retryAfter, 30_000) } : {}),
  }
}

function judge({ code, reason }: KubernetesError, kind: string): { trouble: Trouble; cure?: string } {
  if (reason === 'Undecodable') return { trouble: 'garbled' }
  if (reason === 'Misconfigured') return { trouble: 'refused' }
  switch (code) {
    case 400:
    case 422:
      return { trouble: 'unsupported' }
    case 401:
      return { trouble: 'refused', cure: 'the credentials are not accepted; renew them' }
    case 403:
      return { trouble: 'refused', cure: `grant get, list and watch on ${kind} to this account` }
    case 404:
      return { trouble: 'absent', cure: 'install the custom resources: domainpilot crds | kubectl apply -f -' }
    case 410:
      return { trouble: 'expired' }
    default:
      return { trouble: 'unreachable' }
  }
}
