import type { LabelSelector } from './objects.ts'

/** Whether labels match a selector, as Kubernetes does it: an empty selector matches everything. */
export function matchesSelector(labels: Readonly<Record<string, string>>, selector: LabelSelector): boolean {
  const equal = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value)
  return equal && (selector.matchExpressions ?? []).every((each) => matchesExpression(labels[each.key], each))
}

type Expression = NonNullable<LabelSelector['matchExpressions']>[number]

function matchesExpression(label: string | undefined, { operator, values = [] }: Expression): boolean {
  switch (operator) {
    case 'In':
      return label !== undefined && values.includes(label)
    case 'NotIn':
      return label === undefined || !values.includes(label)
    case 'Exists':
      return label !== undefined
    case 'DoesNotExist':
      return label === undefined
  }
}

const KEY = '[A-Za-z0-9](?:[A-Za-z0-9_./-]*[A-Za-z0-9])?'
const VALUE = '[A-Za-z0-9_.-]*'

/** Reads a selector of kubectl's `-l`: `a=b`, `a==b`, `a!=b`, `a in (b, c)`, `a notin (b, c)`, `a`, `!a`, commas between; else undefined. */
export function parseSelector(text: string): LabelSelector | undefined {
  // Commas inside parentheses belong to the list of values.
  const parts = text.split(/,(?![^(]*\))/).map((part) => part.trim())
  const expressions = parts.filter((part) => part !== '').map(parseRequirement)
  if (!expressions.every((each) => each !== undefined)) return undefined
  return expressions.length === 0 ? {} : { matchExpressions: expressions }
}

function parseRequirement(part: string): Expression | undefined {
  const [, key, operator, value] = new RegExp(`^(${KEY})\\s*(==|=|!=)\\s*(${VALUE})$`).exec(part) ?? []
  if (key !== undefined) return { key, operator: operator === '!=' ? 'NotIn' : 'In', values: [value ?? ''] }
  const [, listKey, word, list] = new RegExp(`^(${KEY})\\s+(in|notin)\\s*\\(([^)]*)\\)$`).exec(part) ?? []
  if (listKey !== undefined && list !== undefined) {
    const values = list.split(',').map((each) => each.trim())
    return { key: listKey, operator: word === 'in' ? 'In' : 'NotIn', values }
  }
  const [, not, name] = new RegExp(`^(!?)\\s*(${KEY})$`).exec(part) ?? []
  return name === undefined ? undefined : { key: name, operator: not === '!' ? 'DoesNotExist' : 'Exists' }
}
