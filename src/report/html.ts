/** HTML that was put together by `html`: everything in it that came from outside is escaped. */
export interface Html {
  readonly html: string
}

/** What may stand in a hole of `html`. Strings are escaped; lists are joined; nothing stands for undefined, null and false. */
export type Hole = string | number | Html | undefined | null | false | readonly Hole[]

/** Tag of a template: the only way to `Html`, so that nothing can be forgotten. Holes in attributes need quotes around them. */
export function html(parts: TemplateStringsArray, ...holes: Hole[]): Html {
  return { html: parts.map((part, index) => part + filled(holes[index])).join('') }
}

/** Text in which `backticks` mark what is code. */
export function prose(text: string): Html {
  const parts = text.split('`')
  // An odd one out marks nothing.
  if (parts.length % 2 === 0) return html`${text}`
  return html`${parts.map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))}`
}

/** The five characters that mean something in text or in a quoted attribute, and NUL, which no parser takes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'\0]/g, (character) => ESCAPES[character] ?? '')
}

const ESCAPES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '\0': '\uFFFD',
}

function filled(hole: Hole): string {
  if (hole === undefined || hole === null || hole === false) return ''
  if (typeof hole === 'string') return escapeHtml(hole)
  if (typeof hole === 'number') return String(hole)
  return 'html' in hole ? hole.html : hole.map(filled).join('')
}
