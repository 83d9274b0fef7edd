/** Which path and method are which endpoint. */

/** The endpoints by the names that faults, counts and the log of calls use; `other`: everything that is none of them. */
export const ENDPOINTS = [
  'listApps',
  'getApp',
  'postDomains',
  'postSsl',
  'deleteSsl',
  'getServers',
  'getServer',
  'getSysusers',
  'getSysuser',
  'getAction',
  'other',
] as const

/** Name of an endpoint. `postDomains` is `POST /apps/:id`, also when it only sets the runtime, and PUT where that is on. */
export type Endpoint = (typeof ENDPOINTS)[number]

/** Where a request goes: an endpoint with the id of its path, or the methods that its path would have had (none: unknown path). */
export type Route = { endpoint: Endpoint; id: string | undefined } | { allowed: string[] }

const ROUTES: readonly { method: string; path: RegExp; endpoint: Endpoint }[] = [
  { method: 'GET', path: /^\/v1\/apps$/, endpoint: 'listApps' },
  { method: 'GET', path: /^\/v1\/apps\/([^/]+)$/, endpoint: 'getApp' },
  { method: 'POST', path: /^\/v1\/apps\/([^/]+)$/, endpoint: 'postDomains' },
  { method: 'POST', path: /^\/v1\/apps\/([^/]+)\/ssl$/, endpoint: 'postSsl' },
  { method: 'DELETE', path: /^\/v1\/apps\/([^/]+)\/ssl$/, endpoint: 'deleteSsl' },
  { method: 'GET', path: /^\/v1\/servers$/, endpoint: 'getServers' },
  { method: 'GET', path: /^\/v1\/servers\/([^/]+)$/, endpoint: 'getServer' },
  { method: 'GET', path: /^\/v1\/sysusers$/, endpoint: 'getSysusers' },
  { method: 'GET', path: /^\/v1\/sysusers\/([^/]+)$/, endpoint: 'getSysuser' },
  { method: 'GET', path: /^\/v1\/actions\/([^/]+)$/, endpoint: 'getAction' },
]

/** Finds the route of a path without its query. `allowPut`: PUT on an app means POST. */
export function routeOf(method: string, path: string, allowPut: boolean): Route {
  const allowed: string[] = []
  for (const route of ROUTES) {
    const match = route.path.exec(path)
    if (!match) continue
    const alsoPut = allowPut && route.endpoint === 'postDomains' && method === 'PUT'
    if (route.method === method || alsoPut) return { endpoint: route.endpoint, id: match[1] }
    allowed.push(route.method)
  }
  return { allowed }
}
