import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { startHttp } from '../src/report/http.ts'
import { createMetrics } from '../src/report/metrics.ts'
import type { Status } from '../src/status/status.ts'
import { systemClock } from '../src/time/clock.ts'
import { fleet, healthy, refused, thirteen } from '../test/report/situations.ts'
import { NOW } from '../test/status/sample-status.ts'

/**
 * Takes pictures of the status page in its situations, narrow to wide, light and dark: `node scripts/pictures.ts FOLDER`. That of the README
 * is `thirteen-1280-light.png`.
 */
const SITUATIONS: Record<string, [status: () => Status, path: string]> = {
  healthy: [healthy, '/'],
  thirteen: [thirteen, '/'],
  'thirteen-app': [thirteen, '/?app=gamma%2Funcovered'],
  outage: [() => fleet(true), '/'],
  refused: [refused, '/'],
  search: [healthy, '/?q=b%C3%BCcher'],
}
const WIDTHS = [360, 1280, 1600]

const folder = process.argv[2] ?? (await mkdtemp(join(tmpdir(), 'pictures-')))
await mkdir(folder, { recursive: true })
let status = healthy()
const well = () => ({ ok: true, message: 'ok' })
const server = await startHttp({
  ...{ host: '127.0.0.1', port: 0, status: () => status, live: well, ready: well },
  metrics: createMetrics({ version: '0.1.0', process: false }),
  clock: { ...systemClock, now: () => NOW },
})
const profile = await mkdtemp(join(tmpdir(), 'pictures-profile-'))
const args = '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking'
const context = await chromium.launchPersistentContext(profile, {
  executablePath: '/usr/bin/chromium',
  args: args.split(' '),
})
try {
  for (const [name, [made, path]] of Object.entries(SITUATIONS)) {
    status = made()
    for (const width of WIDTHS) {
      for (const colorScheme of ['light', 'dark'] as const) {
        const page = await context.newPage()
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
        await page.setViewportSize({ width, height: 1000 })
        await page.goto(server.url + path)
        await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`) })
        if (colorScheme === 'light')
          await page.screenshot({ path: join(folder, `${name}-${width}-whole.png`), fullPage: true })
        await page.close()
      }
    }
  }
  process.stdout.write(`${folder}\n`)
} finally {
  await context.close()
  await server.stop()
  await rm(profile, { recursive: true, force: true })
}
