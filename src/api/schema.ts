import { z } from 'zod'
import { parsePattern } from '../domain/host.ts'
import { parseNetwork } from '../domain/network.ts'
import { DURATION_PATTERN, formatDuration, parseDuration } from './duration.ts'
import { POLICIES, type Policy } from './policy.ts'

/**
 * The one schema of both kinds: types, defaults, bounds and descriptions. `decode.ts` validates with it, `crd.ts` makes the
 * OpenAPI schema of the CustomResourceDefinitions from it. Messages are clauses that follow a field's name.
 *
 * Whether a domain is a host name is not its business: `plan/` judges the names one by one, so that a bad one is reported on its
 * own mapping and hides no other.
 */

const HOUR = 3_600_000
const YEAR = 365 * 24 * HOUR

/** Names of Kubernetes objects (RFC 1123 subdomain). */
const NAME = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/
/** Names of namespaces (RFC 1123 label). */
const LABEL = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/

const textUpTo = (max: number, more = '') =>
  z.string().min(1, 'is empty').max(max, `has more than ${max} characters${more}`)

const objectName = textUpTo(253).regex(
  NAME,
  'must consist of lower-case letters, digits, "-" and ".", and begin and end with a letter or digit',
)

const secretName = objectName.describe("Name of the Secret, in the app's namespace.")

const namespaceName = textUpTo(63).regex(
  LABEL,
  'must consist of lower-case letters, digits and "-", and begin and end with a letter or digit',
)

/** A domain as users write it; its syntax is judged later. */
const domainText = textUpTo(253, '; a host name has 253 at most')

/** ASCII characters that stand in no spelling of a host. */
const NO_PUNCTUATION = '^[^!"#$%&\'()+,/:;<=>?@[\\]^_`{|}~]*$'

/**
 * A list of patterns of hosts, in canonical form from here on. They are judged here: one that is mistyped would protect or allow
 * nothing, without a word. The API server refuses the characters that no spelling of a host has.
 */
function hostPatterns(parse: typeof parsePattern) {
  const pattern = domainText
    .transform((text, context) => {
      const parsed = parse(text)
      if (parsed.ok) return parsed.pattern
      context.addIssue({ code: 'custom', message: `is not a valid host name: ${parsed.message}` })
      return z.NEVER
    })
    .meta({ pattern: NO_PUNCTUATION })
  return z.array(pattern)
}

const policy = z.enum(Object.keys(POLICIES) as Policy[])
const policyWords = Object.entries(POLICIES).map(([name, { says }]) => `${name}: ${says}.`)
const wwwRule = z.enum(['Always', 'MainOnly', 'Never'])

/** A duration as users write it; milliseconds from there on. The API server gets its bounds too, and refuses what the daemon would. */
function duration(standard: string, min: number, description: string) {
  const form = 'must be a duration such as 30s, 5m or 1h30m (units h, m, s, ms)'
  const [from, to] = [formatDuration(min), formatDuration(YEAR)]
  const message = `must be between ${from} and ${to}`
  const rule = `duration(self) >= duration('${from}') && duration(self) <= duration('${to}')`
  return z
    .string(form)
    .regex(DURATION_PATTERN, form)
    .transform((text, context) => {
      const ms = parseDuration(text) ?? 0
      if (ms >= min && ms <= YEAR) return ms
      context.addIssue({ code: 'custom', message: `${message}, not ${text}` })
      return z.NEVER
    })
    .prefault(standard)
    .meta({ description, 'x-kubernetes-validations': [{ rule, message }] })
}

function integer(min: number, max: number) {
  const bounds = `must be a whole number between ${min} and ${max}`
  return z.int(bounds).min(min, bounds).max(max, bounds)
}

const ssl = z
  .strictObject({
    auto: z.boolean().default(true).describe('Turn AutoSSL on as soon as ServerPilot offers it.'),
    force: z.boolean().default(false).describe('Redirect HTTP to HTTPS once there is a certificate.'),
    maxAttempts: integer(1, 100)
      .default(5)
      .describe('Attempts to turn AutoSSL on for one set of hosts before it needs a change or a person.'),
    retryInterval: duration('5m', 1000, 'Time between two attempts.'),
  })
  .prefault({})
  .describe('The declared state of AutoSSL and ForceSSL.')

const NOT_AN_ADDRESS = 'must be an IP address or a network such as 198.51.100.0/24'

const dns = z
  .strictObject({
    policy: z
      .enum(['Report', 'Observe', 'Require', 'Quarantine', 'Ignore'])
      .transform((value) => (value === 'Observe' ? 'Report' : value))
      .prefault('Report')
      .describe(
        'Report: say where hosts resolve. Require: also add a host only once it resolves here. Quarantine: also take a host of ours off while its DNS has been wrong for quarantineAfter and keeps others from their certificate. Ignore: leave DNS out of Ready. Observe is Report.',
      ),
    quarantineAfter: duration('72h', HOUR, 'How long the DNS of a host has to be wrong, for Quarantine.'),
    expectedAddresses: z
      .array(
        z
          .string()
          .refine((text) => parseNetwork(text) !== undefined, NOT_AN_ADDRESS)
          .meta({
            maxLength: 49,
            // Kubernetes takes no IPv4 address in the form of IPv6 for an address: those are judged by the daemon alone.
            'x-kubernetes-validations': [
              { rule: "isIP(self) || isCIDR(self) || self.lowerAscii().contains(':ffff:')", message: NOT_AN_ADDRESS },
            ],
          }),
      )
      .max(1000, 'has more than 1000 entries')
      .default([])
      .describe("Addresses and networks that are right besides the server's own: a CDN, a load balancer."),
  })
  .prefault({})
  .describe('What the DNS of the hosts is expected to say.')

const safety = z
  .strictObject({
    maxRemovalPercent: integer(1, 100)
      .default(30)
      .describe('Share of our hosts that may be removed within the window without approval.'),
    minDomains: integer(0, 100_000).default(10).describe('The share counts from this many hosts of ours.'),
    window: duration('24h', 0, 'How long removals count.'),
    settle: duration('30s', 0, 'How long nothing more must have gone before a removal that was seen is written.'),
    settleInferred: duration('5m', 0, 'The same for a removal that is inferred, such as after a restart.'),
    allowEmpty: z.boolean().default(false).describe('Allow that the last host of ours is removed.'),
  })
  .prefault({})
  .describe('What holds removals back.')

const labelSelector = z
  .strictObject({
    matchLabels: z
      .record(z.string(), z.string())
      .exactOptional()
      .describe('Labels and the values that they must have, all of them.'),
    matchExpressions: z
      .array(
        z.strictObject({
          key: z.string().describe('Name of the label.'),
          operator: z
            .enum(['In', 'NotIn', 'Exists', 'DoesNotExist'])
            .describe('How the label is compared with the values.'),
          values: z.array(z.string()).exactOptional().describe('For In and NotIn.'),
        }),
      )
      .exactOptional()
      .describe('Conditions on labels that must hold, all of them.'),
  })
  .describe('Label selector over namespaces.')

const allowedNamespaces = z
  .strictObject({
    from: z
      .enum(['Same', 'All', 'Selector'])
      .default('Same')
      .describe("Same: those of the app's own namespace. All: of every one. Selector: where labels match."),
    selector: labelSelector.exactOptional(),
  })
  .refine(
    (value) => value.from !== 'Selector' || value.selector !== undefined,
    'with "from: Selector" needs a selector',
  )
  .prefault({})
  .meta({
    description: 'Whose mappings may ask for this app.',
    'x-kubernetes-validations': [
      // The default {} is judged before `from` has its own default.
      {
        rule: "!has(self.from) || self.from != 'Selector' || has(self.selector)",
        message: 'from: Selector needs a selector',
      },
    ],
  })

const wordpress = z
  .strictObject({
    connectionSecretRef: z
      .strictObject({
        name: secretName,
        key: z.string().min(1, 'is empty').default('url').describe('Its key that has the URL.'),
      })
      .describe('Secret with the connection: mysql://user:pass@host/db.'),
    tablePrefix: z
      .string()
      .regex(/^[A-Za-z0-9_$]{1,64}$/, 'must consist of letters, digits, "_" and "$"')
      .default('wp_')
      .describe('$table_prefix of wp-config.php.'),
    mappings: z
      .enum(['Auto', 'UltimateMultisite', 'DomainMapping', 'Core'])
      .default('Auto')
      .describe('Where the mappings stand: the tables of a plugin, or the sites themselves (Core).'),
    includeSites: z.boolean().default(false).describe("Also each site's own domain of a subdomain network."),
    network: z
      .string()
      .regex(/^[1-9][0-9]{0,18}$/, 'must be the id of a network: digits alone')
      .exactOptional()
      .describe('Id of the network whose sites count, where the database has several. Default: all.'),
    pollInterval: duration('5s', 500, 'Time between two looks at the database.'),
  })
  .describe('A WordPress database as one more source of mappings.')

/** `spec` of a `ServerPilotApp`. */
export const appSpec = z.strictObject({
  appId: z
    .string()
    .max(64, 'has more than 64 characters')
    .regex(/^[A-Za-z0-9]+$/, 'must be the id of a ServerPilot app: letters and digits alone, as in nlcN0TwdZAyNEgdp')
    .meta({
      description: 'Id of the app at ServerPilot. Immutable.',
      'x-kubernetes-validations': [
        { rule: 'self == oldSelf', message: 'appId is immutable: delete the object and create another' },
      ],
    }),
  credentialsSecretRef: z
    .strictObject({ name: secretName })
    .exactOptional()
    .describe("Secret with the keys clientId and apiKey. Default: the daemon's own credentials."),
  policy: policy.default('Sync').describe(policyWords.join(' ')),
  www: wwwRule.exactOptional().describe('Default for the mappings of this app; itself MainOnly by default.'),
  protectedDomains: hostPatterns(parsePattern).prefault([]).describe('Domains that are never removed.'),
  ssl,
  dns,
  safety,
  allowedNamespaces,
  allowedDomains: hostPatterns((text) => (text.trim() === '*' ? { ok: true, pattern: '*' } : parsePattern(text)))
    .prefault(['*'])
    .describe('Hosts that mappings may ask for: a name, *.example.com (any depth below), or *.'),
  wordpress: wordpress.exactOptional(),
  deletionPolicy: z
    .enum(['Retain', 'Delete'])
    .default('Retain')
    .describe(
      'What becomes of the hosts of ours when this object is deleted: they stay, or are removed first (Delete, in a cluster).',
    ),
  suspend: z.boolean().default(false).describe('Stop reconciling; what is there stays.'),
})

/** `spec` of a `DomainMapping`. */
const mappingSpec = z.strictObject({
  domain: domainText.describe('The domain to map: one host name, in Unicode or punycode.'),
  www: wwwRule
    .exactOptional()
    .describe('Whether www.DOMAIN is mapped too: Always, only for a main domain, Never. Default: as the app says.'),
  appRef: z
    .strictObject({
      name: objectName.describe('Name of the ServerPilotApp.'),
      namespace: namespaceName.exactOptional().describe("Default: the mapping's own namespace."),
    })
    .describe('The ServerPilotApp that is to serve the domain.'),
})

/** The parts of `metadata` that we read; the rest is Kubernetes' own. */
export const objectMeta = z.looseObject({
  name: objectName,
  namespace: namespaceName.exactOptional(),
  generation: z.number().exactOptional(),
  creationTimestamp: z.string().nullish(),
  labels: z.record(z.string(), z.string()).nullish(),
  annotations: z.record(z.string(), z.string()).nullish(),
})

/** Spec schema by kind. */
export const specSchemas = { ServerPilotApp: appSpec, DomainMapping: mappingSpec } as const

/** The kinds of our group. */
export type Kind = keyof typeof specSchemas

/** The kinds of our group, for messages and look-ups. */
export const KINDS: readonly Kind[] = ['ServerPilotApp', 'DomainMapping']

/** The spec of an app that says nothing but its id: every default. Undefined when the text cannot be an app id. */
export function appDefaults(appId: string, more: { wordpress?: object; www?: string } = {}) {
  return appSpec.safeParse({ appId, ...more }).data
}
