/**
 * The script of the status page: fetches the page again every two seconds and puts in what changed, so that folds, focus,
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
  const units = (root) => [...root.querySelectorAll('[data-live], [data-list] > [id]')]
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

  function focusPath() {
    const active = document.activeElement
    if (!active || active === document.body || active === input) return
    const unit = active.closest('[data-live], [data-list] > [id]')
    if (!unit) return
    const all = [...unit.querySelectorAll('summary, a, button, [tabindex]')]
    return { unit: unit.id, index: all.indexOf(active) }
  }

  function refocus(path) {
    if (!path || path.index < 0) return
    const unit = document.getElementById(path.unit)
    const target = unit && [...unit.querySelectorAll('summary, a, button, [tabindex]')][path.index]
    if (target && target !== document.activeElement) target.focus({ preventScroll: true })
  }

  // The node to show for what the server sent now: the one that is there, when nothing but times differs.
  function settle(fresh) {
    const old = document.getElementById(fresh.id)
    const text = key(fresh)
    if (old && origin.get(old) === text) {
      const times = fresh.querySelectorAll('time')
      old.querySelectorAll('time').forEach((time, i) => {
        if (time.textContent !== times[i].textContent) time.textContent = times[i].textContent
      })
      return old
    }
    const node = document.adoptNode(fresh)
    origin.set(node, text)
    for (const fold of [node, ...node.querySelectorAll('details[id]')]) {
      const before = fold.tagName === 'DETAILS' && document.getElementById(fold.id)
      if (before) fold.open = before.open
    }
    addCopyButtons(node)
    return node
  }

  function put(page) {
    const path = focusPath()
    for (const fresh of page.querySelectorAll('[data-live]')) {
      const old = document.getElementById(fresh.id)
      if (!old || old.parentElement.closest('[data-list]')) continue
      const node = settle(fresh)
      if (node !== old) old.replaceWith(node)
    }
    const list = document.querySelector('[data-list]')
    const wanted = [...page.querySelector('[data-list]').children].map((fresh) => [document.getElementById(fresh.id), settle(fresh)])
    for (const [old, node] of wanted) if (old && old !== node) old.replaceWith(node)
    const keep = new Set(wanted.map(([, node]) => node))
    for (const child of [...list.children]) if (!keep.has(child)) child.remove()
    wanted.forEach(([, node], i) => {
      if (list.children[i] !== node) list.insertBefore(node, list.children[i] || null)
    })
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
        // Something else answers at this address, or the search field has yet to appear: start afresh.
        if (!page.querySelector('[data-list]')) throw new Error('another page')
        if (!page.getElementById('q') !== !document.getElementById('q')) return location.reload()
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
