<?php
/**
 * Makes a network by WordPress's own functions: `php network.php FOLDER STEP JSON`. STEP `install` makes tables and the network,
 * `sites` makes the sites that JSON lists and does to them what it says. Prints the id of each site by its domain.
 */
[, $folder, $step, $json] = $argv;
$given = json_decode($json, true, 16, JSON_THROW_ON_ERROR);

foreach (['DB_NAME', 'DB_USER', 'DB_PASSWORD', 'DB_HOST'] as $name) define($name, $given[$name]);
define('DB_CHARSET', 'utf8mb4');
define('DB_COLLATE', '');
define('ABSPATH', $folder . '/');
define('WP_DEBUG', false);
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('DISABLE_WP_CRON', true);
define('WP_ALLOW_MULTISITE', true);
$table_prefix = 'wp_';
$_SERVER += ['HTTP_HOST' => 'network.example', 'SERVER_NAME' => 'network.example', 'REQUEST_URI' => '/', 'REQUEST_METHOD' => 'GET'];
$_SERVER += ['SERVER_PROTOCOL' => 'HTTP/1.1', 'REMOTE_ADDR' => '127.0.0.1'];

/** Nobody gets a letter. */
function wp_mail() { return true; }

if ($step === 'install') {
    define('WP_INSTALLING', true);
    require ABSPATH . 'wp-settings.php';
    require ABSPATH . 'wp-admin/includes/upgrade.php';
    require ABSPATH . 'wp-admin/includes/network.php';
    wp_install('Network', 'admin', 'admin@network.example', false, '', 'no-secret');
    foreach ($wpdb->tables('ms_global') as $table => $prefixed) $wpdb->$table = $prefixed;
    install_network();
    $made = populate_network(1, 'network.example', 'admin@network.example', 'Network', '/', $given['subdomain']);
    // That no wildcard DNS leads there is said, and does not matter.
    if (is_wp_error($made) && $made->get_error_code() !== 'no_wildcard_dns') throw new Exception($made->get_error_message());
    exit;
}

define('MULTISITE', true);
define('SUBDOMAIN_INSTALL', $given['subdomain']);
define('DOMAIN_CURRENT_SITE', 'network.example');
define('PATH_CURRENT_SITE', '/');
define('SITE_ID_CURRENT_SITE', 1);
define('BLOG_ID_CURRENT_SITE', 1);
require ABSPATH . 'wp-settings.php';
require_once ABSPATH . 'wp-admin/includes/ms.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';

$ids = [];
foreach ($given['sites'] as $name => $does) {
    $where = $given['subdomain'] ? ['domain' => "$name.network.example", 'path' => '/'] : ['domain' => 'network.example', 'path' => "/$name/"];
    $id = wp_insert_site($where + ['network_id' => 1, 'user_id' => 1, 'title' => $name]);
    if (is_wp_error($id)) throw new Exception($id->get_error_message());
    $ids[$name] = $id;
    if (isset($does['domain'])) wp_update_site($id, ['domain' => $does['domain'], 'path' => '/']);
    foreach ($does['status'] ?? [] as $flag) update_blog_status($id, $flag, '1');
    if ($does['gone'] ?? false) wp_delete_site($id);
}
echo json_encode($ids);
