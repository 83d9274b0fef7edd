/** AutoSSL: what is available when, and the certificates that come of it. */
import { isIP } from 'node:net'
import type { CertificateSeed } from './options.ts'
import { type AppState, sameNames, type World } from './state.ts'

/** The names for which AutoSSL could install a certificate now; undefined when it is not available. */
export function availableNames(world: World, app: AppState): string[] | undefined {
  const { behaviours } = world
  const wanted = obtainable(world, app)
  if (wanted && wanted.readyAt <= world.now()) return wanted.names
  if (behaviours.availableDuringChange === 'earlier' && app.availableBefore) {
    const names = app.availableBefore.filter((name) => app.domains.some((domain) => domain.toLowerCase() === name))
    if (names.length > 0) return names
  }
  return undefined
}

/** The names that a certificate for the app could have, and from when on (milliseconds since 1970); undefined: none. */
function obtainable(world: World, app: AppState): { names: string[]; readyAt: number } | undefined {
  const { behaviours, issuance, model } = world
  const address = model.servers.get(app.serverid)?.lastaddress
  const names: string[] = []
  let since = app.changedAt
  for (const domain of app.domains) {
    const name = domain.toLowerCase()
    if (name.startsWith('*.') || isIP(name) !== 0) {
      if (behaviours.wildcardOrAddress === 'block') return undefined
      continue
    }
    const record = model.dns.get(name)
    // One wrong address is enough to fail: the authority may ask that one, as with a wrong AAAA beside a right A.
    const resolves = record
      ? record.addresses.length > 0 && record.addresses.every((found) => found === address)
      : address !== null
    if (resolves) names.push(name)
    else if (behaviours.unresolvedName === 'block') return undefined
    since = Math.max(since, record?.since ?? 0)
  }
  if (names.length === 0) return undefined
  if (names.length > issuance.maxNames && behaviours.tooManyNames === 'block') return undefined
  return { names: names.slice(0, issuance.maxNames), readyAt: since === 0 ? 0 : since + issuance.delay }
}

/** Turns AutoSSL on for these names, at once or after `issuance.installDelay`; ForceSSL stays as it is. */
export function turnOnAutoSsl(world: World, app: AppState, names: string[]): void {
  const { installDelay } = world.issuance
  if (installDelay === 0) {
    install(world, app, names)
    return
  }
  world.dirty = true
  const before = app.ssl ?? { key: null, cert: null, cacerts: null, force: false, names: [], notAfter: 0 }
  app.ssl = { ...before, auto: true, dueAt: world.now() + installDelay }
}

/** Does what became due since the last look: a first certificate, one with other names, a renewal. */
export function advanceAutoSsl(world: World, app: AppState): void {
  const { ssl } = app
  if (!ssl?.auto) return
  const { behaviours, issuance } = world
  const now = world.now()
  const firstDue = ssl.dueAt !== null && ssl.dueAt <= now
  const renewalDue = ssl.dueAt === null && behaviours.renewal && ssl.notAfter - now < issuance.lifetime / 3
  const othersPossible = ssl.dueAt === null && behaviours.reissue === 'automatic'
  if (!firstDue && !renewalDue && !othersPossible) return
  const names = availableNames(world, app)
  if (names && (firstDue || renewalDue || !sameNames(names, ssl.names))) install(world, app, names)
}

/** Gives an app a certificate without asking whether AutoSSL could. */
export function plantCertificate(world: World, app: AppState, seed: CertificateSeed): void {
  const names = seed.names ?? obtainable(world, app)?.names ?? []
  if (names.length === 0) throw new Error(`app ${app.name}: no names for a certificate`)
  install(world, app, names, seed.notAfter)
  app.ssl = { ...app.ssl!, auto: seed.auto ?? true, force: seed.force ?? false }
}

function install(world: World, app: AppState, names: string[], notAfter?: number): void {
  world.dirty = true
  const now = world.now()
  const end = notAfter ?? now + world.issuance.lifetime
  // An hour back, as Let's Encrypt does, for clocks that are slow.
  const start = Math.min(now, end - world.issuance.lifetime) - 3_600_000
  app.ssl = {
    ...world.authority.issue(names, start, end),
    cacerts: world.authority.cert,
    auto: true,
    force: app.ssl?.force ?? false,
    names,
    notAfter: end,
    dueAt: null,
  }
}
