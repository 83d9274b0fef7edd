/** What one reason means to the person who reads it. */
interface ReasonEntry {
  /** What is so, in one sentence without figures: the condition's message has those. */
  summary: string
  /** What to do about it, in the imperative; empty when there is nothing to do. */
  cure: string
  /**
   * Nothing moves until a person has acted: kstatus `Stalled`. Else it may pass by itself, or is a stage on the way (DNS that is
   * still to be set up): kstatus `Reconciling`. We look again in both cases.
   */
  stalls?: true
}

/**
 * Every reason of a condition. Reason = Event reason = anchor in docs/troubleshooting.md; a test holds the three together.
 * Grouped by what they speak of, in the order in which a reconcile meets them.
 */
export const REASONS = {
  // Going well
  Succeeded: { summary: 'What is declared is in place.', cure: '' },
  Progressing: { summary: 'Work on this is under way.', cure: '' },
  Suspended: {
    summary: 'The app is suspended, so nothing is changed.',
    cure: 'Set `spec.suspend: false` to go on.',
    stalls: true,
  },
  DryRun: {
    summary: 'Changes are worked out and not written: dry run, or policy `Observe`.',
    cure: 'Read the plan; then start without `--dry-run`, or set another `spec.policy`.',
    stalls: true,
  },

  // The declared objects
  InvalidSpec: {
    summary: 'The object has a fault.',
    cure: 'Correct the field that the message names; `domainpilot validate PATH` finds the same faults offline.',
    stalls: true,
  },
  InvalidDomain: {
    summary: 'The domain is not a host name that can be served.',
    cure: 'Write one host name, without scheme, port or path.',
    stalls: true,
  },
  AppNotFound: {
    summary: 'The app that is named does not exist.',
    cure: 'Check `spec.appRef` of the mapping, or `spec.appId` of the app and the account that its credentials belong to.',
  },
  NotAllowed: {
    summary: 'The app does not admit this namespace or this domain, or may not use these credentials.',
    cure: 'Extend `allowedNamespaces` or `allowedDomains` of the app, or give it a `credentialsSecretRef` of its own.',
    stalls: true,
  },
  Conflict: {
    summary: 'Somebody else holds this host, or this app, already.',
    cure: 'Delete one of the two objects; the message names the holder, which keeps it for as long as it wants it.',
    stalls: true,
  },
  AppFull: {
    summary: 'The app holds as many hosts as ServerPilot allows.',
    cure: 'Remove mappings, set `www: Never` where www is not needed, or spread the domains over another app.',
    stalls: true,
  },
  SourceUnavailable: {
    summary: 'A source of mappings cannot be read as a whole, so nothing that it claimed is removed.',
    cure: 'Repair what the message names: a file, a folder, a table, a permission. It is in sync again without a restart.',
  },
  RecordCorrupt: {
    summary: 'The record of what is ours cannot be read, so nothing is written to this app.',
    cure: 'Delete the record: what is there then counts as foreign and is never removed. Or restore it from a backup: what that would remove then needs approval.',
    stalls: true,
  },
  StateFolderLost: {
    summary: 'The state folder is no longer held by this process, so it writes nothing.',
    cure: 'See to it that one process alone uses the folder that the message names, and start domainpilot again.',
    stalls: true,
  },

  // Removals that wait
  RemovalSettling: { summary: 'Removals wait until the mappings have stayed the same for a while.', cure: '' },
  RemovalRefused: {
    summary: 'The safety guard holds removals back; additions go in.',
    cure: 'Read the plan. If it is right, `domainpilot apply --approve HASH`; else bring the missing mappings back.',
    stalls: true,
  },

  // ServerPilot
  ApiUnreachable: {
    summary: 'ServerPilot gives no usable answer.',
    cure: 'Check the network, the proxy and `--serverpilot-url`; `domainpilot check` shows where it ends.',
  },
  CredentialsInvalid: {
    summary: 'ServerPilot refuses the credentials, or there are none.',
    cure: 'Put the present client id and API key in place: a rotated key makes the old one void at once.',
    stalls: true,
  },
  PaymentRequired: {
    summary: 'ServerPilot wants a valid payment method for this account first.',
    cure: 'Settle it in the ServerPilot control panel.',
    stalls: true,
  },
  RateLimited: {
    summary: 'ServerPilot asks for fewer requests.',
    cure: 'Nothing, when it passes; else lower `--serverpilot-qps` or `--workers`.',
  },
  Rejected: {
    summary: 'ServerPilot refuses this host; the others are in place.',
    cure: 'Read its words in the message and correct the domain; it is tried again when the mapping changes.',
    stalls: true,
  },
  WriteNotTaken: {
    summary: 'ServerPilot took the list, and reading it again shows another one.',
    cure: 'Look at the actions of the server in the ServerPilot control panel if it lasts.',
  },
  Contended: {
    summary: 'Somebody else keeps changing the domains of this app.',
    cure: 'Find the other writer (a plugin, a script, a person) and stop it.',
  },
  SecondWriter: {
    summary: 'The WordPress plugin is set up to write the domains of this app too.',
    cure: 'Switch the ServerPilot integration of the plugin off; mapping domains in WordPress goes on as before.',
  },

  // DNS
  AwaitingDNS: {
    summary: 'The host waits for its DNS, as `dns.policy` says: until it resolves to the server.',
    cure: 'Create the DNS record; the message names the addresses.',
  },
  Quarantined: {
    summary: 'The host was taken off the app until its DNS is right again, as `dns.policy: Quarantine` says.',
    cure: 'Correct the DNS record that the message names: the host is back within minutes. Or set another `dns.policy`.',
  },
  NoRecords: {
    summary: 'The host does not resolve.',
    cure: 'Create an A record (or a CNAME) that leads to the server.',
  },
  PointsElsewhere: {
    summary: 'The host resolves to another server.',
    cure: 'Point its A record at the server, or add the address of your proxy to `dns.expectedAddresses`.',
  },
  IPv6PointsElsewhere: {
    summary: 'The A record is right and an AAAA record leads elsewhere, which fails the certificate.',
    cure: 'Delete the AAAA record, or point it at the server.',
  },
  ResolverFailed: {
    summary: 'The resolver gives no answer, so nothing is known of the DNS of this host.',
    cure: 'Check the DNS servers of this host, or name others with `--dns-servers`.',
  },

  // Certificate
  AwaitingAvailability: {
    summary: 'ServerPilot has no certificate ready for this app yet.',
    cure: 'Wait some minutes; if it lasts, see that every host of the app resolves to the server.',
  },
  NotCovered: {
    summary: 'The installed certificate does not name this host.',
    cure: 'Do what the message says of the host that it names first; then of the next.',
  },
  TooManyNames: {
    summary: 'The app has more names than one certificate takes.',
    cure: 'Spread its mappings over another app, as the message says.',
    stalls: true,
  },
  Expired: {
    summary: 'The installed certificate has expired.',
    cure: 'See that every host of the app resolves to the server; then switch AutoSSL off and on again.',
  },
  ExpiringSoon: {
    summary: 'The installed certificate ends soon and was not renewed.',
    cure: 'See that every host of the app resolves to the server.',
  },
  CertificateLimit: {
    summary:
      'Additions are gathered for a while, as the certificate authority limits how many certificates a week a domain gets.',
    cure: 'Nothing: they are added together at the time that the message names.',
  },
  NotYetValid: {
    summary: 'The server shows a certificate whose time has not begun.',
    cure: 'Check the clocks of the server and of this host.',
  },
  SelfSigned: {
    summary: 'The server shows a certificate that it signed itself.',
    cure: 'See at the panel which certificate is installed; a proxy in between may show one of its own.',
  },
  ChainIncomplete: {
    summary: "The server shows a certificate without its issuer's.",
    cure: 'Install the certificate together with its chain (`cacerts`).',
  },
  WrongPurpose: {
    summary: 'The server shows a certificate that is not made for web servers.',
    cure: 'Install one whose extended key usage has `serverAuth`, or let AutoSSL do so.',
  },
  Untrusted: {
    summary: 'The server shows a certificate of an authority that browsers do not know.',
    cure: 'Install a certificate of a known authority, or let AutoSSL do so.',
  },
  AttemptsExhausted: {
    summary: 'AutoSSL was tried as often as `ssl.maxAttempts` allows.',
    cure: 'Correct the DNS of the hosts that the message names; a changed set of hosts starts a new count.',
    stalls: true,
  },
  CustomCertificate: {
    summary: 'A certificate of your own is installed, so AutoSSL is left alone.',
    cure: 'Install one that names every host, in time before it ends; or take it away in the ServerPilot control panel.',
    stalls: true,
  },
  NotChecked: {
    summary: 'This is not looked at: its check is off, or there is nothing to look at.',
    cure: '',
    stalls: true,
  },

  // Ourselves
  InternalError: {
    summary: 'The program met a fault of its own.',
    cure: 'Report it with the message and the log lines around it.',
  },
} as const satisfies Record<string, ReasonEntry>

/** A reason of a condition. */
export type Reason = keyof typeof REASONS

/** What one Event says; `Warning` asks for attention. */
interface EventEntry extends ReasonEntry {
  type: 'Normal' | 'Warning'
}

/** Every reason of an Event. Those that are reasons of conditions too share that entry's words. */
export const EVENTS = {
  DomainsAdded: { type: 'Normal', summary: 'Hosts were added to the app, and read back.', cure: '' },
  DomainsRemoved: { type: 'Normal', summary: 'Hosts were taken off the app, and read back.', cure: '' },
  RemovalRefused: { type: 'Warning', ...REASONS.RemovalRefused },
  Quarantined: { type: 'Warning', ...REASONS.Quarantined },
  DomainRejected: { type: 'Warning', ...REASONS.Rejected },
  AutoSSLEnabled: { type: 'Normal', summary: 'AutoSSL was switched on for the app.', cure: '' },
  CertificateIssued: { type: 'Normal', summary: 'A new certificate is installed.', cure: '' },
  CertificateExpiring: { type: 'Warning', ...REASONS.ExpiringSoon },
  SyncFailed: {
    type: 'Warning',
    summary: 'The app could not be brought in sync; it is tried again.',
    cure: 'Read the reason in the condition `Synced` of the app, and look that one up.',
  },
  SyncRecovered: { type: 'Normal', summary: 'The app is in sync again after a failure.', cure: '' },
} as const satisfies Record<string, EventEntry>

/** A reason of an Event. */
export type EventReason = keyof typeof EVENTS

/** Whether a text is one of our reasons. */
export const isReason = (text: string): text is Reason => Object.hasOwn(REASONS, text)

/** Whether a reason that came in as text may pass by itself. Unknown text counts as retryable: better to look again than to give up. */
export function isRetryable(reason: string): boolean {
  const entry: ReasonEntry | undefined = isReason(reason) ? REASONS[reason] : undefined
  return entry?.stalls !== true
}
