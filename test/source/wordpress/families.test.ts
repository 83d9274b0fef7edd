import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  chooseFamily,
  type Family,
  type Findings,
  type MappingsSetting,
  tableNames,
} from '../../../src/source/wordpress/families.ts'

const ROW = ['id', 'blog_id', 'domain', 'active']
const PRIMARY = [...ROW, 'is_primary']

interface Given {
  wu?: readonly string[]
  dm?: readonly string[]
  logins?: boolean
  marks?: readonly string[]
  active?: Findings['active']
  copied?: boolean
}

function choose(setting: MappingsSetting, { wu, dm, logins = false, marks = [], active, copied = false }: Given) {
  const found = { names: tableNames('wp_'), ultimate: wu, domainMapping: dm, logins, marks: new Set(marks), copied }
  return chooseFamily(setting, { ...found, active, apart: [], setUp: new Set() })
}

const mercator = ['mercator.db.version']
const mu = ['dm_hash']

describe('chooseFamily', () => {
  const told: [why: string, setting: MappingsSetting, given: Given, family: Family][] = [
    ['no table and no mark: the sites are all there is', 'Auto', {}, 'Core'],
    ['the table of Ultimate Multisite', 'Auto', { wu: ROW, marks: ['wu_setup_finished'] }, 'UltimateMultisite'],
    ['the mark of Mercator', 'Auto', { dm: ROW, marks: mercator }, 'Mercator'],
    ['the mark of MU Domain Mapping', 'Auto', { dm: ROW, marks: mu }, 'MuDomainMapping'],
    ['the table beside it', 'Auto', { dm: ROW, logins: true }, 'MuDomainMapping'],
    ['scheme', 'Auto', { dm: [...PRIMARY, 'scheme'] }, 'WpmuDev'],
    ['is_https, 1.x without type', 'Auto', { dm: [...PRIMARY, 'is_https'] }, 'DarkMatter'],
    ['columns go before marks', 'Auto', { dm: [...PRIMARY, 'is_https', 'type'], marks: mu }, 'DarkMatter'],
    ['the setting decides between two', 'UltimateMultisite', { wu: ROW, dm: ROW }, 'UltimateMultisite'],
    ['the setting decides between two', 'DomainMapping', { wu: ROW, dm: ROW, marks: mercator }, 'Mercator'],
    ['nothing says which, the setting does', 'DomainMapping', { dm: ROW }, 'MuDomainMapping'],
    ['both marks, the setting decides', 'DomainMapping', { dm: ROW, marks: [...mu, ...mercator] }, 'MuDomainMapping'],
    ['all rows were copied', 'Auto', { wu: ROW, dm: ROW, marks: mercator, copied: true }, 'UltimateMultisite'],
    [
      'the plugin that is on',
      'Auto',
      { wu: ROW, dm: ROW, active: new Set(['UltimateMultisite']) },
      'UltimateMultisite',
    ],
    ['the older one is on', 'Auto', { wu: ROW, dm: ROW, marks: mercator, active: new Set(['Mercator']) }, 'Mercator'],
    [
      'both marks, one is on',
      'Auto',
      { dm: ROW, marks: [...mu, ...mercator], active: new Set(['Mercator']) },
      'Mercator',
    ],
    ['nothing else is asked for', 'Core', { wu: ROW, dm: ROW, marks: mu }, 'Core'],
  ]
  for (const [why, setting, given, family] of told) {
    test(`${setting}: ${family} (${why})`, () => {
      assert.equal((choose(setting, given) as { family: Family }).family, family)
    })
  }

  const untold: [why: string, setting: MappingsSetting, given: Given, says: RegExp[]][] = [
    ['two tables', 'Auto', { wu: ROW, dm: ROW }, [/mappings/, /UltimateMultisite/, /DomainMapping/]],
    ['WP Ultimo, which 1.x is called too', 'Auto', { wu: ROW, dm: ROW, active: new Set(['WpUltimo']) }, [/both/]],
    ['both are on', 'Auto', { wu: ROW, dm: ROW, active: new Set(['UltimateMultisite', 'Mercator']) }, [/both/]],
    ['neither mark', 'Auto', { dm: ROW }, [/spec.wordpress.mappings/, /DomainMapping/, /Core/, /mercator.db.version/]],
    ['both marks', 'Auto', { dm: ROW, marks: [...mu, ...mercator] }, [/spec.wordpress.mappings/, /dm_hash/]],
    ['set up, but no table', 'Auto', { marks: ['wp-ultimo_v2_settings'] }, [/wp_wu_domain_mappings/, /Core/]],
    ['half migrated', 'Auto', { dm: ROW, marks: ['wu_setup_finished', ...mercator] }, [/wp_wu_domain_mappings/]],
    ['Mercator without table', 'Auto', { marks: mercator }, [/Mercator/, /wp_domain_mapping/, /Core/]],
    ['MU without table', 'Auto', { logins: true }, [/MU Domain Mapping/, /wp_domain_mapping/]],
    ['table asked for and missing', 'UltimateMultisite', { dm: ROW }, [/wp_wu_domain_mappings/, /tablePrefix/]],
    ['table asked for and missing', 'DomainMapping', {}, [/wp_domain_mapping/, /tablePrefix/]],
    ['a table of something else', 'Auto', { dm: ['id', 'host'] }, [/no column blog_id, domain, active/]],
    ['half made', 'UltimateMultisite', { wu: ['id', 'blog_id', 'domain'] }, [/no column active/]],
  ]
  for (const [why, setting, given, says] of untold) {
    test(`${setting}: not decided, and what decides is named (${why})`, () => {
      const choice = choose(setting, given)
      assert.ok('undecided' in choice, JSON.stringify(choice))
      for (const each of says) assert.match(choice.undecided, each)
    })
  }
})
