import {
  AuthorizationV1Api,
  CoordinationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  createConfiguration,
  EventsV1Api,
  ResponseContext,
  ServerConfiguration,
  wrapHttpLibrary,
} from '@kubernetes/client-node'
import type { Caller, Connection } from '../../src/kubernetes/connection.ts'
import type { Method } from '../../src/kubernetes/http.ts'

/** The typed APIs of the client library, which tests need and the program does without. They throw `KubernetesError`. */
export interface Typed {
  core: CoreV1Api
  custom: CustomObjectsApi
  coordination: CoordinationV1Api
  events: EventsV1Api
  authorization: AuthorizationV1Api
}

/** A connection with the typed APIs on both lanes. */
export type TypedConnection = Connection & Typed & { urgent: Typed }

/** Adds them, over the connection's own calls. */
export function withTyped(connection: Connection): TypedConnection {
  const urgent = Object.assign(connection.urgent, typed(connection.urgent))
  return Object.assign(connection, typed(connection), { urgent })
}

function typed(caller: Caller): Typed {
  const httpApi = wrapHttpLibrary({
    async send(request) {
      const { pathname, search } = new URL(request.getUrl())
      const body = request.getBody()
      const contentType = Object.entries(request.getHeaders()).find(([name]) => /^content-type$/i.test(name))?.[1]
      const answer = await caller.call({
        method: request.getHttpMethod() as Method,
        path: pathname + search,
        signal: request.getSignal(),
        ...(typeof body === 'string' ? { body: JSON.parse(body) as unknown } : {}),
        ...(contentType === undefined ? {} : { contentType }),
      })
      const text = JSON.stringify(answer)
      const bytes = Buffer.from(text)
      return new ResponseContext(
        200,
        { 'content-type': 'application/json' },
        { text: async () => text, binary: async () => bytes, stream: () => null },
      )
    },
  })
  // The transport puts the real server in its place.
  const configuration = createConfiguration({ baseServer: new ServerConfiguration('http://api-server', {}), httpApi })
  return {
    core: new CoreV1Api(configuration),
    custom: new CustomObjectsApi(configuration),
    coordination: new CoordinationV1Api(configuration),
    events: new EventsV1Api(configuration),
    authorization: new AuthorizationV1Api(configuration),
  }
}
