/** A change that is held back, with a reason of status/reasons.ts. `until`: epoch ms, when time alone lifts it. */
export interface Held {
  reason:
    | 'RemovalSettling'
    | 'RemovalRefused'
    | 'SourceUnavailable'
    | 'Progressing'
    | 'InvalidSpec'
    | 'Rejected'
    | 'AppFull'
    | 'AwaitingDNS'
    | 'ResolverFailed'
    | 'NotChecked'
    | 'CertificateLimit'
    | 'Contended'
  message: string
  /** Set by the plan. */
  of?: 'addition' | 'removal'
  until?: number
}
