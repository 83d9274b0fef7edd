/** A right that is missing. `namespace` empty: in every namespace. */
export interface Right {
  namespace: string
  verbs: string
  resources: readonly string[]
  /** One object alone. */
  name?: string
}

/** The command with which somebody who may can grant a right, as a sentence for the person who lacks it. Pure. */
export function granting({ namespace, verbs, resources, name }: Right): string {
  const [kind, where] = namespace === '' ? ['clusterrole', ''] : ['role', ` -n ${namespace}`]
  const one = name === undefined ? '' : ` --resource-name=${name}`
  const role = `kubectl create ${kind} domainpilot-reader${where} --verb=${verbs} --resource=${resources.join(',')}${one}`
  return `Grant it: ${role}, and bind that to the user (kubectl create ${kind}binding).`
}
