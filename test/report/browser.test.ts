import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, get } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { type HttpServer, startHttp } from '../../src/report/http.ts'
import { createMetrics } from '../../src/report/metrics.ts'
import type { Status } from '../../src/status/status.ts'
import { systemClock } from '../../src/time/clock.ts'
import { app, NOW, sampleStatus } from '../status/sample-status.ts'
import { fleet, healthy, refused, thirteen } from './situations.ts'

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
    server = await startHttp({
      ...{ host: '127.0.0.1', port: 0, status: () => status, metrics, live: well, ready: well },
      clock: { ...systemClock, now: () => status.generatedAt },
    })
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
  const states: Record<string, [status: Status, path?: string]> = {
    several: [sampleStatus()],
    'one app': [sampleStatus(), '/?app=wordpress%2Fnetwork&page=1'],
    'a filter that leaves nothing': [sampleStatus(), '/?state=wait&reason=Nothing&q=none'],
    faults: [sampleStatus({ source: failed, dryRun: true, leader: false })],
    nothing: [sampleStatus({ apps: [], mappings: [] })],
    long: [sampleStatus({ apps: [long] })],
    'three healthy apps': [healthy()],
    'thirteen troubles': [thirteen()],
    'an outage of 300 apps': [fleet(true), '/?page=2'],
    'a refused plan': [refused()],
  }
  for (const [name, [shown, path]] of Object.entries(states)) {
    test(`${name}: nothing overflows, contrast holds, and axe finds nothing`, async () => {
      await open(shown, path)
      for (const colorScheme of ['light', 'dark'] as const) {
        for (const width of [360, 768, 1280, 1600]) {
          await page.emulateMedia({ colorScheme })
          await page.setViewportSize({ width, height: 900 })
          const over = await page.evaluate(
            'document.documentElement.scrollWidth - document.documentElement.clientWidth',
          )
          assert.equal(over, 0, `${colorScheme} ${width}`)
          assert.deepEqual(await page.evaluate(CUT), [], `${colorScheme} ${width}`)
          assert.deepEqual(await page.evaluate(LOW_CONTRAST), [], `${colorScheme} ${width}`)
        }
        assert.deepEqual(await axeFinds(page, [360, 1280]), [], colorScheme)
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
      assert.equal(await bare.locator('.hosts tbody tr').count(), 1)
      await bare.click('.chips .all a')
      await bare.click('.tiles a.bad')
      await bare.waitForURL(/\?state=act$/)
      await bare.click('.cause a:has-text("1 app · 14 hosts")')
      await bare.waitForURL(/\?reason=RemovalRefused$/)
      assert.equal(await bare.locator('.hosts tbody tr').count(), 14)
      await bare.fill('#q', 'kunde-7.')
      await bare.click('.search button')
      await bare.waitForURL(/reason=RemovalRefused&q=kunde-7|q=kunde-7.*reason=RemovalRefused/)
      assert.equal(await bare.locator('.hosts tbody tr').count(), 1)
    } finally {
      await plain.close()
      rmSync(second, { recursive: true, force: true })
    }
  })

  test('a refresh brings what is new and keeps focus, scroll position, folds and search', async () => {
    const source = { name: 'manifests', synced: true, faults: failed.faults }
    await open(sampleStatus({ source }))
    await page.setViewportSize({ width: 800, height: 400 })
    await page.click('#faults > summary')
    const link = '.apps a[href="?app=agency%2Fmicrosites"]'
    await page.focus(link)
    const scrolled = await page.evaluate('scrollY')
    await page.evaluate(`document.querySelector('${link}').before = true`)
    const apps = sampleStatus().apps.filter((one) => one.key !== 'shop/storefront')
    status = sampleStatus({ source, apps, generatedAt: NOW + 60_000 })
    await page.locator('h1', { hasText: '2 of 4 apps' }).waitFor()
    assert.equal(await page.evaluate(`document.querySelector('${link}').before`), undefined, 'the list is another one')
    assert.equal(await page.evaluate(`document.activeElement === document.querySelector('${link}')`), true)
    assert.equal(await page.evaluate("document.querySelector('#faults').open"), false)
    assert.equal(await page.evaluate(`Math.abs(scrollY - ${scrolled}) < 300 && scrollY > 0`), true)

    await page.fill('#q', 'team.blog')
    await page.locator('.hosts tbody tr:only-of-type').waitFor()
    assert.match(page.url(), /q=team\.blog/)
    // Two refreshes more: the first is in the page when the second one is asked for.
    for (let refresh = 0; refresh < 2; refresh++)
      await page.waitForResponse((answer) => answer.url().startsWith(server.url))
    assert.equal(await page.inputValue('#q'), 'team.blog')
    assert.equal(await page.evaluate('document.activeElement.id'), 'q')
    assert.deepEqual(said, [])
  })

  test('page-behind-a-proxy: below a prefix every way through the page stays there', async (t) => {
    status = sampleStatus()
    const proxy = createServer((request, response) => {
      if (!request.url?.startsWith('/domainpilot/')) return void response.writeHead(404).end('outside')
      const path = request.url.slice('/domainpilot'.length)
      get(`${server.url}${path}`, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers)
        answer.pipe(response)
      })
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    t.after(() => proxy.close())
    const { port } = proxy.address() as AddressInfo
    const prefix = `http://127.0.0.1:${port}/domainpilot/`
    await page?.close()
    page = await context.newPage()
    await page.goto(prefix)
    const ways = [
      '.brand a',
      '.tiles a.bad',
      '.cause .meta a',
      '.chips .all a',
      '.apps a.app',
      'footer a[href="status.json"]',
    ]
    for (const way of ways) {
      await page.locator(way).first().click()
      await page.waitForURL((url) => url.href.startsWith(prefix))
      assert.doesNotMatch((await page.textContent('body')) ?? '', /^outside/, way)
    }
    assert.equal(page.url(), `${prefix}status.json`)
    await page.goto(prefix)
    await page.fill('#q', 'kunde-25')
    await page.locator('.hosts tbody tr:only-of-type').waitFor()
    assert.equal(page.url(), `${prefix}?q=kunde-25`)
  })

  test('unicode-names-are-found: typed on the page', async () => {
    await open(healthy())
    await page.fill('#q', 'bücher')
    await page.locator('.hosts tbody tr:only-of-type').waitFor()
    const row = (await page.textContent('.hosts tbody th')) ?? ''
    assert.match(row, /^bücher\.example\.com xn--bcher-kva\.example\.com$/)
  })

  test('from empty to the first app without a hand on it, and a word when nobody answers', async () => {
    await open(sampleStatus({ apps: [], mappings: [] }))
    status = sampleStatus()
    await page.waitForSelector('.apps a.app')
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
    const walked: string[] = []
    for (let step = 0; step < 40; step++) {
      await page.keyboard.press('Tab')
      walked.push(
        String(await page.evaluate('document.activeElement.getAttribute("href") ?? document.activeElement.className')),
      )
      assert.notEqual(
        await page.evaluate('getComputedStyle(document.activeElement).outlineStyle'),
        'none',
        walked.at(-1),
      )
    }
    for (const way of ['?reason=RemovalRefused', 'diff', '?app=wordpress%2Fnetwork'])
      assert.ok(walked.includes(way), way)
    await page.focus('.tiles a.bad')
    await page.keyboard.press('Enter')
    await page.waitForURL(/\?state=act$/)
    assert.equal(await page.locator('.tiles [aria-current=true]').count(), 1)
  })
})

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe-core complains of, at these widths. It comes in by the browser's own protocol, so that the page's policy stays as it is. */
async function axeFinds(page: Page, widths: readonly number[]): Promise<string[]> {
  const session = await page.context().newCDPSession(page)
  const found: string[] = []
  for (const width of widths) {
    await page.setViewportSize({ width, height: 900 })
    await session.send('Runtime.evaluate', { expression: AXE })
    const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
      expression: `axe.run({ resultTypes: ['violations'] }).then(({ violations }) => JSON.stringify(violations.map(({ id, nodes }) => [id, nodes[0].html.slice(0, 200), nodes[0].failureSummary])))`,
      ...{ awaitPromise: true, returnByValue: true },
    })
    assert.equal(exceptionDetails, undefined)
    for (const violation of JSON.parse(String(result.value)) as unknown[])
      found.push(`${width}: ${JSON.stringify(violation)}`)
  }
  await session.detach()
  return found
}

/** Elements whose content is wider than they are and cannot be scrolled to, as an expression for the browser. */
const CUT = `[...document.querySelectorAll('main *')]
  .filter((e) => e.checkVisibility() && !e.closest('.hidden, thead, input') && e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0 && getComputedStyle(e).display !== 'inline')
  .slice(0, 5).map((e) => e.tagName + '.' + e.className + ' ' + e.scrollWidth + '>' + e.clientWidth)`

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
