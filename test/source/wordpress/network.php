<?php
// Makes a network with WordPress's own functions. Arguments: folder of WordPress, port, database, step, subdomains (1) or folders (0).
[, $folder, $port, $name, $step, $subdomains] = $argv;
error_reporting(E_ERROR | E_PARSE);
$_SERVER += ['HTTP_HOST' => 'network.example', 'SERVER_NAME' => 'network.example', 'REQUEST_URI' => '/', 'SERVER_PROTOCOL' => 'HTTP/1.1'];
define('ABSPATH', "$folder/");
define('DB_HOST', "127.0.0.1:$port");
define('DB_NAME', $name);
define('DB_USER', 'root');
define('DB_PASSWORD', '');
define('DB_CHARSET', 'utf8mb4');
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('DISABLE_WP_CRON', true);
$table_prefix = 'wp_';
if ($step === 'install') {
    define('WP_INSTALLING', true);
    define('WP_SITEURL', 'http://network.example');
} else {
    define('MULTISITE', true);
    define('SUBDOMAIN_INSTALL', $subdomains === '1');
    define('DOMAIN_CURRENT_SITE', 'network.example');
    define('PATH_CURRENT_SITE', '/');
    define('SITE_ID_CURRENT_SITE', 1);
    define('BLOG_ID_CURRENT_SITE', 1);
}
require ABSPATH . 'wp-settings.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
add_filter('pre_wp_mail', '__return_true');

if ($step === 'install') {
    wp_install('Network', 'admin', 'admin@network.example', true, '', 'password');
    require_once ABSPATH . 'wp-admin/includes/network.php';
    foreach ($wpdb->tables('ms_global') as $table => $full) $wpdb->$table = $full;
    install_network();
    populate_network(1, 'network.example', 'admin@network.example', 'Network', '/', $subdomains === '1');
    exit(0);
}

function site(string $domain, string $path = '/'): int
{
    $id = wp_insert_site(['domain' => $domain, 'path' => $path, 'network_id' => 1, 'user_id' => 1, 'title' => $domain]);
    if (is_wp_error($id)) throw new Exception($id->get_error_message());
    return $id;
}

$ids = [];
foreach (['kept', 'archived', 'spam', 'deleted', 'gone'] as $what)
    $ids[$what] = $subdomains === '1' ? site("$what.network.example") : site('network.example', "/$what/");
$ids['own'] = site('customer.example');
foreach (['archived', 'spam', 'deleted'] as $flag) update_blog_status($ids[$flag], $flag, '1');
wp_delete_site($ids['gone']);
echo json_encode($ids);
