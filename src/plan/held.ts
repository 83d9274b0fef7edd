/** Why a change is held back: a reason of status/reasons.ts. `until`: epoch ms, when time alone lifts it. */
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
    | 'Quarantined'
    | 'ResolverFailed'
    | 'NotChecked'
    | 'CertificateLimit'
    | 'Contended'
  message: string
  until?: number
}

/** A change that a plan holds back. */
export interface HeldChange extends Held {
  of: 'addition' | 'removal'
}
