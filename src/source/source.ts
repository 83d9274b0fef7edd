import type { Identity } from '../api/decode.ts'
import type { App, Key, Mapping, Place } from '../api/objects.ts'

/** A fault of one place of a source: an unreadable file, an invalid object, a row that means nothing. */
export interface SourceFault {
  place: Place
  message: string
  /** The object concerned, where the fault is the object's own (it then gets `InvalidSpec`); else the source has failed. */
  object?: Identity
}

/** The newest version of an object, which has a fault, in so far as it is known. What it said when it was valid, if ever, is an App or a Mapping. */
export interface InvalidObject extends Identity, Omit<App, 'key' | 'spec' | 'created' | 'annotations' | 'fault'> {
  /** What is wrong with it. */
  message: string
  /** Of a mapping: the app that it asked for when it was valid, else the one that it seems to ask for; undefined where nobody knows. */
  app?: Key
}

/** Why a source's present answer may not be taken as complete. While it lasts, nothing that the source claimed is removed. */
export interface SourceFailure {
  source: string
  message: string
}

/** A row with a domain that does not count. */
export interface UncountedRow {
  place: Place
  domain: string
  /** A clause, such as: its site 7 does not exist. */
  why: string
}

/** What one source says of one app's mappings: what could be read, and whether that is all. */
export interface MappingRead {
  source: string
  mappings: readonly Mapping[]
  failure?: SourceFailure
  /** Names that are never removed, under any policy: the network's own, as a database gives them. */
  protectedHosts?: readonly string[]
  /** What is wrong with single rows: table and id are named. The rest counts all the same. */
  faults?: readonly SourceFault[]
  /** Rows that do not count, each with its domain: for whoever asks about one. */
  uncounted?: readonly UncountedRow[]
  /** Somebody else writes the same list, with the cure: a plugin that is still switched on. */
  secondWriter?: string
  /** What was found, in a line for a person who sets it up. */
  summary?: string
}

/** A source that knows mappings of given apps (a database), or of all apps (see ObjectSource). */
export interface MappingSource {
  /** `manifests`, `kubernetes`, `wordpress`: stands in ownership records and metrics. */
  readonly name: string
  /** The mappings of one app as of the last read. Never throws: a source that cannot answer says so in `failure`. */
  mappingsOf(app: App): MappingRead
  /** How often it had to read everything anew, after a gap in what it follows: of what is gone since nobody knows that it was taken away. */
  rereads?(): number
}

/** A source that reads mappings from the databases that apps name. */
export interface DatabaseSource extends MappingSource {
  /** The apps as they are now: databases come, go, or get other settings. Cheap when nothing changed. */
  follow(apps: readonly App[]): void
  /** Reads the databases of the apps followed so far and goes on reading. Resolves after the first reads, good or not. */
  start(changed: (apps: ReadonlySet<Key>) => void): Promise<void>
  stop(): Promise<void>
  /** Whether a look at every database that is followed has ended, good or not. */
  looked(): boolean
}

/** The app with that key, where its newest version has a fault. */
export const invalidApp = (objects: Pick<ObjectSource, 'invalid'>, key: Key): InvalidObject | undefined =>
  objects.invalid().find((each) => each.kind === 'ServerPilotApp' && each.key === key)

/** A source of declared objects: apps and mappings. */
export interface ObjectSource extends MappingSource {
  /**
   * Reads everything once and then follows changes until `stop`. Resolves after the first read, good or not.
   * `changed` gets the keys of the apps whose own object or mappings changed, and is called after the new state is in place.
   */
  start(changed: (apps: ReadonlySet<Key>) => void): Promise<void>
  stop(): Promise<void>
  /** True once a read succeeded as a whole. */
  synced(): boolean
  apps(): readonly App[]
  app(key: Key): App | undefined
  /** All mappings, also those whose app does not exist. */
  mappings(): readonly Mapping[]
  /** Faults of the last read, by place. */
  faults(): readonly SourceFault[]
  failure(): SourceFailure | undefined
  /** Objects whose newest version has a fault, also those that never were valid. */
  invalid(): readonly InvalidObject[]
  /** `Secret` object by namespace, name and key; undefined when there is none. */
  secret(namespace: string, name: string, key: string): Promise<string | undefined>
  /**
   * Labels of a namespace; the same value as long as they stay as they are. Undefined while they are not known, and from
   * sources that have no namespaces. A change of them counts as a change of the apps that select by labels.
   */
  namespaceLabels?(namespace: string): Readonly<Record<string, string>> | undefined
}
