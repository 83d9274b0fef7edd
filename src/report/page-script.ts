/**
 * The script of the status page: fetches the page again every two seconds and puts in the sections that changed, so that folds, focus,
 * selection and scroll position stay. The page is complete without it. Its hash stands in the page's security policy.
 */
export const PAGE_SCRIPT = `
'use strict'
;(() => {
  const EVERY = 2000
  const origin = new WeakMap() // element -> the HTML that the server sent for it, times left out
  const stale = document.getElementById('stale')
  const input = document.getElementById('q')
  document.documentElement.classList.add('js')

  const key = (element) => element.outerHTML.replace(/(<time[^>]*>)[^<]*/g, '$1')
  const units = (root) => [...root.querySelectorAll('[data-live]')]
  for (const unit of units(document)) origin.set(unit, key(unit))
  addCopyButtons(document)

  function addCopyButtons(root) {
    if (!navigator.clipboard) return
    for (const command of root.querySelectorAll('.command')) {
      const button = document.createElement('button')
      button.type = 'button'
      button.textContent = 'Copy'
      button.addEventListener('click', async () => {
        try {
          await navigator.clipboard.writeText(command.querySelector('code').textContent)
          button.textContent = 'Copied'
        } catch {
          button.textContent = 'Copying is not allowed here'
        }
        setTimeout(() => (button.textContent = 'Copy'), 1500)
      })
      command.append(button)
    }
  }

  const inUnit = (unit) => [...unit.querySelectorAll('summary, a, button, [tabindex]')]
  // What a person would call the same: the link that leads there, else the one at that place.
  const same = (a, b) => a.tagName === b.tagName && a.getAttribute('href') === b.getAttribute('href')

  function focusPath() {
    const active = document.activeElement
    const unit = active && active !== input && active.closest('[data-live]')
    return unit && { unit: unit.id, active, index: inUnit(unit).indexOf(active) }
  }

  function refocus(path) {
    if (!path || document.contains(path.active)) return
    const all = inUnit(document.getElementById(path.unit))
    const target = all.find((each) => same(each, path.active)) || all[path.index]
    if (target) target.focus({ preventScroll: true })
  }

  // Puts in what the server sent now, unless nothing but times differs: then those.
  function settle(old, fresh) {
    const text = key(fresh)
    if (origin.get(old) === text) {
      const times = fresh.querySelectorAll('time')
      old.querySelectorAll('time').forEach((time, i) => {
        if (time.textContent !== times[i].textContent) time.textContent = times[i].textContent
      })
      return
    }
    const node = document.adoptNode(fresh)
    origin.set(node, text)
    for (const fold of node.querySelectorAll('details[id]')) {
      const before = document.getElementById(fold.id)
      if (before) fold.open = before.open
    }
    addCopyButtons(node)
    old.replaceWith(node)
  }

  function put(page) {
    const path = focusPath()
    const scrolled = [...document.querySelectorAll('.diff')].map((diff) => diff.scrollTop)
    for (const fresh of units(page)) settle(document.getElementById(fresh.id), fresh)
    document.querySelectorAll('.diff').forEach((diff, i) => (diff.scrollTop = scrolled[i] || 0))
    document.title = page.title
    refocus(path)
  }

  const selecting = () => {
    const selection = getSelection()
    return selection && !selection.isCollapsed && document.querySelector('main').contains(selection.anchorNode)
  }

  let timer
  let asked = 0
  async function refresh() {
    clearTimeout(timer)
    const turn = ++asked
    if (!document.hidden && !selecting()) {
      try {
        const answer = await fetch(location.href, { signal: AbortSignal.timeout(10000), headers: { Accept: 'text/html' } })
        if (!answer.ok) throw new Error(String(answer.status))
        const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
        if (turn !== asked) return
        // Something else answers at this address; another version of the page does, or the search field has yet to appear.
        if (!page.getElementById('results')) throw new Error('another page')
        const other = units(page).some((unit) => !document.getElementById(unit.id))
        if (other || !page.getElementById('q') !== !input) return location.reload()
        put(page)
        stale.hidden = true
        document.documentElement.classList.remove('old')
      } catch {
        if (turn !== asked) return
        stale.hidden = false
        document.documentElement.classList.add('old')
      }
    }
    timer = setTimeout(refresh, EVERY)
  }
  timer = setTimeout(refresh, EVERY)
  document.addEventListener('visibilitychange', () => document.hidden || refresh())

  if (input) {
    let typing
    const search = () => {
      const address = new URL(location.href)
      if (input.value.trim()) address.searchParams.set('q', input.value.trim())
      else address.searchParams.delete('q')
      for (const page of ['page', 'apps']) address.searchParams.delete(page)
      history.replaceState(null, '', address)
      refresh()
    }
    input.addEventListener('input', () => {
      clearTimeout(typing)
      typing = setTimeout(search, 150)
    })
    input.form.addEventListener('submit', (event) => {
      event.preventDefault()
      search()
    })
    document.addEventListener('keydown', (event) => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || /INPUT|TEXTAREA/.test(event.target.tagName)) return
      event.preventDefault()
      input.focus()
    })
  }
})()
`
