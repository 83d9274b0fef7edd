import { serialize } from 'php-serialize'

/** SQL of tables and rows as WordPress and each plugin write them. */

/** `{p}site`, `{p}sitemeta`, `{p}blogs`; before WordPress 3.7 `archived` was an ENUM. */
export function coreTables({ prefix = 'wp_', enumArchived = false, options = '' } = {}): string {
  const archived = enumArchived ? "enum('0','1') NOT NULL DEFAULT '0'" : "tinyint(2) NOT NULL DEFAULT '0'"
  return `
CREATE TABLE ${prefix}site (id bigint(20) NOT NULL auto_increment, domain varchar(200) NOT NULL default '',
  path varchar(100) NOT NULL default '', PRIMARY KEY (id), KEY domain (domain(140),path(51))) ${options};
CREATE TABLE ${prefix}sitemeta (meta_id bigint(20) NOT NULL auto_increment, site_id bigint(20) NOT NULL default '0',
  meta_key varchar(255) default NULL, meta_value longtext, PRIMARY KEY (meta_id), KEY meta_key (meta_key(191)),
  KEY site_id (site_id)) ${options};
CREATE TABLE ${prefix}blogs (blog_id bigint(20) NOT NULL auto_increment, site_id bigint(20) NOT NULL default '0',
  domain varchar(200) NOT NULL default '', path varchar(100) NOT NULL default '',
  registered datetime NOT NULL default '0000-00-00 00:00:00', last_updated datetime NOT NULL default '0000-00-00 00:00:00',
  public tinyint(2) NOT NULL default '1', archived ${archived}, mature tinyint(2) NOT NULL default '0',
  spam tinyint(2) NOT NULL default '0', deleted tinyint(2) NOT NULL default '0', lang_id int(11) NOT NULL default '0',
  PRIMARY KEY (blog_id), KEY domain (domain(50),path(5)), KEY lang_id (lang_id)) ${options};
`
}

/** One network with its sites, by blog_id. */
export function sites(
  domains: Readonly<Record<number, string>>,
  { prefix = 'wp_', network = 'network.example' } = {},
): string {
  const rows = Object.entries(domains).map(([id, domain]) => `(${id}, 1, '${domain}', '/')`)
  return `INSERT INTO ${prefix}site (id, domain, path) VALUES (1, '${network}', '/');
INSERT INTO ${prefix}blogs (blog_id, site_id, domain, path) VALUES ${rows.join(', ')};`
}

/** Ultimate Multisite 2.x (before: WP Ultimo 2.x); `old` lacks the stage \`ssl-failed\`. `network`: the table of one that is not the main one. */
export function ultimateTable({ prefix = 'wp_', old = false, options = '', network = 1 } = {}): string {
  const table = network === 1 ? 'wu_domain_mappings' : `wu_${network}_domain_mappings`
  const stages = [
    'checking-dns',
    'checking-ssl-cert',
    'done',
    'failed',
    'done-without-ssl',
    ...(old ? [] : ['ssl-failed']),
  ]
  return `CREATE TABLE ${prefix}${table} (id bigint(20) NOT NULL auto_increment, blog_id bigint(20) NOT NULL,
  domain varchar(191) NOT NULL, active tinyint(4) default 1, primary_domain tinyint(4) default 0, secure tinyint(4) default 0,
  stage enum(${stages.map((stage) => `'${stage}'`).join(', ')}) DEFAULT 'checking-dns',
  date_created datetime NULL, date_modified datetime NULL,
  PRIMARY KEY (id), KEY blog_id (blog_id,domain,active), KEY domain (domain)) ${options};
`
}

/** `{p}domain_mapping` of WordPress MU Domain Mapping, Mercator, and WP Ultimo 1.x, which brought Mercator along. */
export const PLAIN = `CREATE TABLE wp_domain_mapping (id bigint(20) NOT NULL auto_increment, blog_id bigint(20) NOT NULL,
  domain varchar(255) NOT NULL, active tinyint(4) default '1', PRIMARY KEY (id), KEY blog_id (blog_id,domain(100),active));
`
export const MU_LOGINS = `CREATE TABLE wp_domain_mapping_logins (id varchar(32) NOT NULL, user_id bigint(20) NOT NULL,
  blog_id bigint(20) NOT NULL, t timestamp NOT NULL default CURRENT_TIMESTAMP, PRIMARY KEY (id));
`
export const WPMU_DEV = `CREATE TABLE wp_domain_mapping (id bigint(20) NOT NULL auto_increment, blog_id bigint(20) NOT NULL,
  is_primary tinyint(4) NOT NULL default 1, domain varchar(255) NOT NULL, active tinyint(4) default '1',
  scheme tinyint(4) NOT NULL default 2, PRIMARY KEY (id), KEY blog_id (blog_id,domain(100),active));
`
export const DARK_MATTER = `CREATE TABLE wp_domain_mapping (id bigint(20) NOT NULL auto_increment, blog_id bigint(20) NOT NULL,
  is_primary tinyint(4) default '0', domain varchar(255) NOT NULL, active tinyint(4) default '1',
  is_https tinyint(4) default '0', type tinyint(4) default '1', PRIMARY KEY (id));
`

export function meta(key: string, value: string, site = 1): string {
  return `INSERT INTO wp_sitemeta (site_id, meta_key, meta_value) VALUES (${site}, '${key}', '${value.replaceAll("'", "''")}');\n`
}

/** The settings of Ultimate Multisite with a www rule, and something else beside it. */
export const wwwSettings = (rule: string, network = 1): string =>
  meta('wp-ultimo_v2_settings', serialize({ company_name: 'Bücher & Söhne', auto_create_www_subdomain: rule }), network)

/** The plugins that are on for the network as a whole. */
export const activePlugins = (...files: string[]): string =>
  meta('active_sitewide_plugins', serialize(Object.fromEntries(files.map((file) => [file, 1_700_000_000]))))

/** A network of Ultimate Multisite with two sites and two mappings, www never. */
export const SMALL =
  coreTables() +
  sites({ 1: 'network.example', 2: 'two.network.example', 3: 'three.network.example' }) +
  ultimateTable() +
  wwwSettings('never') +
  `INSERT INTO wp_wu_domain_mappings (id, blog_id, domain, stage, date_created) VALUES
    (1, 2, 'shop.example.com', 'done', '2024-01-01 10:00:00'), (2, 3, 'blog.example.org', 'checking-dns', '2024-02-01 10:00:00');`
