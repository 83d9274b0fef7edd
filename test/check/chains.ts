import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A server's key and certificate, as `node:tls` takes them. */
export interface Leaf {
  key: string
  cert: string
}

/** What a leaf says. Days from now; negative: in the past. */
export interface LeafOptions {
  /** As `subjectAltName` of openssl: `DNS:shop.example.com`. None: no such extension. */
  names?: readonly string[]
  subject?: string
  from?: number
  to?: number
  /** What it may be used for, as `extendedKeyUsage` of openssl. */
  usage?: string
}

/** A root and an intermediate authority made by openssl. */
export interface Chains {
  root: string
  /** PEM of the intermediate. */
  middle: string
  /** The same with its time over. */
  endedMiddle: string
  leaf(options: LeafOptions): Leaf
  /** A leaf signed by itself, with these extensions besides. */
  alone(name: string, ...extensions: string[]): Leaf
  remove(): void
}

const ANY = `database = ./index.txt
new_certs_dir = ./issued
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy`

const CONFIG = `
[ca]
default_ca = middle
[middle]
certificate = ./middle.pem
private_key = ./middle.key
${ANY}
x509_extensions = nameless
[root]
certificate = ./root.pem
private_key = ./root.key
${ANY}
[nameless]
# By name alone, as some authorities do: then only the signature tells two of one name apart.
subjectKeyIdentifier = none
authorityKeyIdentifier = none
[any]
commonName = optional
`
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'] as const

/** Makes the authorities, with names that begin like this. Throws when openssl, which is part of any system that the tests run on, is missing. */
export function makeChains(name = 'Test'): Chains {
  const folder = mkdtempSync(join(tmpdir(), 'domainpilot-chains-'))
  const openssl = (...words: string[]) => execFileSync('openssl', words, { cwd: folder, stdio: 'pipe' })
  const read = (name: string) => readFileSync(join(folder, name), 'utf8')
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
  write('openssl.cnf', CONFIG)
  write('index.txt', '')
  write(
    'authority.ext',
    'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nauthorityKeyIdentifier=none\n',
  )
  mkdirSync(join(folder, 'issued'))
  openssl(
    'req',
    '-x509',
    ...KEY,
    '-keyout',
    'root.key',
    '-out',
    'root.pem',
    '-subj',
    `/CN=${name} root`,
    '-days',
    '3650',
  )
  openssl('req', ...KEY, '-keyout', 'middle.key', '-out', 'middle.csr', '-subj', `/CN=${name} middle`)
  const sign = ['-CA', 'root.pem', '-CAkey', 'root.key', '-CAcreateserial', '-extfile', 'authority.ext']
  openssl('x509', '-req', '-in', 'middle.csr', ...sign, '-out', 'middle.pem', '-days', '3650')

  const issue = ['ca', '-batch', '-notext', '-config', 'openssl.cnf']
  const past = ['-startdate', stamp(-90), '-enddate', stamp(-1)]
  openssl(...issue, '-name', 'root', '-extfile', 'authority.ext', '-in', 'middle.csr', '-out', 'ended.pem', ...past)

  return {
    root: read('root.pem'),
    middle: read('middle.pem'),
    endedMiddle: read('ended.pem'),
    leaf({ names, subject = '/', from = -1, to = 90, usage }) {
      // In a section of its own, where a comma is part of a name.
      const entries = (names ?? []).map((name, index) => name.replace(':', `.${index} = `))
      const purpose = usage === undefined ? '' : `extendedKeyUsage = ${usage}\n`
      const extension =
        names === undefined ? '' : `req_extensions = wish\n[wish]\n${purpose}subjectAltName = @names\n[names]\n`
      write('request.cnf', `[req]\ndistinguished_name = subject\n${extension}${entries.join('\n')}\n[subject]\n`)
      const files = ['-keyout', 'leaf.key', '-out', 'leaf.csr']
      openssl('req', '-config', 'request.cnf', ...KEY, ...files, '-subj', subject)
      const dates = ['-startdate', stamp(from), '-enddate', stamp(to)]
      openssl(...issue, '-in', 'leaf.csr', '-out', 'leaf.pem', ...dates)
      return { key: read('leaf.key'), cert: read('leaf.pem') }
    },
    alone(name, ...extensions) {
      const files = ['-keyout', 'alone.key', '-out', 'alone.pem']
      const added = [`subjectAltName=DNS:${name}`, ...extensions].flatMap((each) => ['-addext', each])
      openssl('req', '-x509', ...KEY, ...files, '-subj', '/CN=alone', ...added, '-days', '9')
      return { key: read('alone.key'), cert: read('alone.pem') }
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** `YYYYMMDDHHMMSSZ` */
function stamp(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString().replace(/[-:T]|\.\d+/g, '')
}
