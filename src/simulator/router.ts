/** Which path and method are which endpoint. */

const ROUTES = {
  listApps: 'GET /apps',
  getApp: 'GET /apps/:id',
  postDomains: 'POST /apps/:id',
  postSsl: 'POST /apps/:id/ssl',
  deleteSsl: 'DELETE /apps/:id/ssl',
  getServers: 'GET /servers',
  getServer: 'GET /servers/:id',
  getSysusers: 'GET /sysusers',
  getSysuser: 'GET /sysusers/:id',
  getAction: 'GET /actions/:id',
} as const

/**
 * Name of an endpoint; `other`: everything else. `postDomains` is `POST /apps/:id`, also when it only sets the runtime,
 * and PUT where that is on.
 */
export type Endpoint = keyof typeof ROUTES | 'other'

/** The endpoints by the names that faults, counts and the log of calls use. */
export const ENDPOINTS = [...Object.keys(ROUTES), 'other'] as readonly Endpoint[]

/** Where a request goes: an endpoint with the id of its path. `allowed`: none, but these methods its path would have had. */
interface Route {
  endpoint: Endpoint
  id?: string | undefined
  allowed?: string[]
}

const PATTERNS = Object.entries(ROUTES).map(([endpoint, route]) => {
  const [method = '', path = ''] = route.split(' ')
  return { endpoint: endpoint as Endpoint, method, path: new RegExp(`^/v1${path.replace(':id', '([^/]+)')}$`) }
})

/** Finds the route of a path without its query. `allowPut`: PUT on an app means POST. */
export function routeOf(method: string, path: string, allowPut: boolean): Route {
  const allowed: string[] = []
  for (const route of PATTERNS) {
    const match = route.path.exec(path)
    if (!match) continue
    const alsoPut = allowPut && route.endpoint === 'postDomains' && method === 'PUT'
    if (route.method === method || alsoPut) return { endpoint: route.endpoint, id: match[1] }
    allowed.push(route.method)
  }
  return { endpoint: 'other', allowed }
}
