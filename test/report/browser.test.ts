import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { type HttpServer, startHttp } from '../../src/report/http.ts'
import { createMetrics } from '../../src/report/metrics.ts'
import type { Status } from '../../src/status/status.ts'
import { app, largeStatus, NOW, sampleStatus } from '../status/sample-status.ts'

const CHROMIUM = '/usr/bin/chromium'
const ARGS =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'
const skip = !existsSync(CHROMIUM) && 'needs Chromium: apt-get install chromium'

suite('the page in a browser', { skip }, () => {
  let status: Status
  let server: HttpServer
  let profile: string
  let context: BrowserContext
  let page: Page
  let said: string[]

  before(async () => {
    const metrics = createMetrics({ version: '0.1.0', process: false })
    const well = () => ({ ok: true, message: 'ok' })
    server = await startHttp({ host: '127.0.0.1', port: 0, status: () => status, metrics, live: well, ready: well })
    profile = mkdtempSync(join(tmpdir(), 'page-test-'))
    context = await chromium.launchPersistentContext(profile, { executablePath: CHROMIUM, args: ARGS.split(' ') })
  })
  after(async () => {
    await context?.close()
    await server?.stop()
    if (profile) rmSync(profile, { recursive: true, force: true })
  })

  async function open(shown: Status, path = '/'): Promise<void> {
    status = shown
    said = []
    await page?.close()
    page = await context.newPage()
    page.on('console', (message) => said.push(message.text()))
    page.on('pageerror', (error) => said.push(String(error)))
    page.on('request', (request) => {
      if (!request.url().startsWith(server.url) && !request.url().startsWith('data:'))
        said.push(`outside: ${request.url()}`)
    })
    await page.goto(server.url + path)
  }

  const failed = {
    name: 'manifests',
    synced: false,
    failure: 'x'.repeat(300),
    faults: [{ place: 'a/b.yaml:1', message: 'm'.repeat(200) }],
  }
  const long = app(`ns/${'long-'.repeat(30)}`, {
    hosts: [{ name: `${'a'.repeat(60)}.${'b'.repeat(60)}.example`, state: 'present' }],
  })
  const states: Record<string, Status> = {
    several: sampleStatus(),
    faults: sampleStatus({ source: failed, dryRun: true, leader: false }),
    nothing: sampleStatus({ apps: [], mappings: [] }),
    long: sampleStatus({ apps: [long] }),
    large: largeStatus(),
  }
  for (const [name, shown] of Object.entries(states)) {
    test(`${name}: nothing overflows, nothing is complained of, contrast holds`, async () => {
      await open(shown)
      for (const colorScheme of ['light', 'dark'] as const) {
        for (const width of [360, 1280]) {
          await page.emulateMedia({ colorScheme })
          await page.setViewportSize({ width, height: 900 })
          if (name !== 'large') {
            await page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true })")
          }
          const over = await page.evaluate(
            'document.documentElement.scrollWidth - document.documentElement.clientWidth',
          )
          assert.equal(over, 0, `${colorScheme} ${width}`)
          assert.deepEqual(await page.evaluate(LOW_CONTRAST), [], `${colorScheme} ${width}`)
        }
      }
      assert.deepEqual(said, [])
    })
  }

  test('without JavaScript it says the same, and searches', async () => {
    status = sampleStatus()
    const second = mkdtempSync(join(tmpdir(), 'page-test-'))
    const plain = await chromium.launchPersistentContext(second, {
      executablePath: CHROMIUM,
      args: ARGS.split(' '),
      javaScriptEnabled: false,
    })
    try {
      const bare = await plain.newPage()
      await bare.goto(server.url)
      assert.match((await bare.textContent('main')) ?? '', /domainpilot apply --approve 3f9a1c07be42/)
      await bare.fill('#q', 'kunde-25')
      await bare.click('.search button')
      await bare.waitForURL(/q=kunde-25/)
      assert.match((await bare.textContent('main')) ?? '', /1 host found/)
    } finally {
      await plain.close()
      rmSync(second, { recursive: true, force: true })
    }
  })

  test('a refresh brings what is new and keeps folds, focus, scroll position and search', async () => {
    await open(sampleStatus())
    const fold = '[id="app:agency%2Fmicrosites"]'
    await page.setViewportSize({ width: 800, height: 400 })
    await page.click(`${fold} > summary`)
    await page.focus(`${fold} > summary`)
    await page.evaluate('scrollTo(0, 300)')
    const kept = await page.evaluateHandle(`document.querySelector('${fold}')`)
    const apps = sampleStatus().apps.filter((one) => one.key !== 'shop/storefront')
    const changed = apps.map((one) => (one.key === 'agency/microsites' ? { ...one, policy: 'Exclusive' } : one))
    status = sampleStatus({ apps: changed, generatedAt: NOW + 60_000 })
    await page.locator('h1', { hasText: '2 of 4 apps' }).waitFor()
    assert.equal(await page.evaluate(`document.querySelector('${fold}').open`), true)
    assert.match((await page.textContent(fold)) ?? '', /Exclusive/)
    assert.equal(await page.evaluate(`document.activeElement.closest('details').matches('${fold}')`), true)
    assert.equal(await page.evaluate('Math.abs(scrollY - 300) < 250 && scrollY > 0'), true)
    await kept.dispose()

    await page.fill('#q', 'team.blog')
    await page.locator('#apps > .app:only-of-type').waitFor()
    assert.match((await page.textContent('#apps')) ?? '', /1 host found/)
    assert.match(page.url(), /q=team\.blog/)
    // Two refreshes more: the first is in the page when the second one is asked for.
    for (let refresh = 0; refresh < 2; refresh++)
      await page.waitForResponse((answer) => answer.url().startsWith(server.url))
    assert.equal(await page.inputValue('#q'), 'team.blog')
    assert.equal(await page.evaluate('document.activeElement.id'), 'q')
    assert.deepEqual(said, [])
  })

  test('from empty to the first app without a hand on it, and a word when nobody answers', async () => {
    await open(states.nothing!)
    status = sampleStatus()
    await page.waitForSelector('#apps .app')
    await page.route('**/*', (route) => route.abort())
    await page.waitForSelector('#stale:not([hidden])')
  })

  test('it can be walked by keyboard and has the landmarks', async () => {
    await open(sampleStatus())
    for (const role of ['banner', 'main', 'contentinfo', 'search'] as const)
      assert.equal(await page.getByRole(role).count(), 1, role)
    assert.equal(await page.getByRole('heading', { level: 1 }).count(), 1)
    assert.equal(await page.getByLabel('Find a host or an app').count(), 1)
    await page.keyboard.press('Tab')
    assert.equal(await page.evaluate('document.activeElement.className'), 'skip')
    await page.keyboard.press('/')
    assert.equal(await page.evaluate('document.activeElement.id'), 'q')
  })
})

/** Texts whose contrast with what lies behind them is under 4.5 (WCAG AA), as an expression for the browser. */
const LOW_CONTRAST = `(() => {
  const parse = (colour) => (colour.match(/[\\d.]+/g) || []).map(Number)
  const light = (c) => { const [r, g, b] = c.map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4 }); return 0.2126 * r + 0.7152 * g + 0.0722 * b }
  const behind = (element) => { for (let e = element; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] === 1) return c.slice(0, 3) } return [255, 255, 255] }
  const low = new Set()
  for (const element of [...document.querySelectorAll('body *')].slice(0, 3000)) {
    if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()) || !element.checkVisibility()) continue
    const [a, b] = [light(parse(getComputedStyle(element).color).slice(0, 3)), light(behind(element))].sort((x, y) => y - x)
    const ratio = (a + 0.05) / (b + 0.05)
    if (ratio < 4.5) low.add(element.tagName + '.' + element.className + ' ' + ratio.toFixed(2))
  }
  return [...low]
})()`
