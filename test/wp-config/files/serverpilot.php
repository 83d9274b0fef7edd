<?php
/**
 * As ServerPilot's installer of WordPress leaves it in /srv/users/serverpilot/apps/network/public.
 */
define('DB_NAME',     'network-wp-Ab3dE6gH');
define('DB_USER',     'Zy9Xw8Vu7Ts6');
define('DB_PASSWORD', 'pAssw0rd-0f_20-chars');
define('DB_HOST',     'localhost');
define('DB_CHARSET',  'utf8mb4');
define('DB_COLLATE',  '');

define('AUTH_KEY',         'x');

$table_prefix  = 'wp_';

/**
 * Multisite behind the server's own Nginx.
 */
define('MULTISITE', true);
define('SUBDOMAIN_INSTALL', true);
define('DOMAIN_CURRENT_SITE', $_SERVER['HTTP_HOST']);
if (isset($_SERVER['HTTP_X_FORWARDED_PROTO']) && $_SERVER['HTTP_X_FORWARDED_PROTO'] === 'https') $_SERVER['HTTPS'] = 'on';

define('WU_SERVER_PILOT_CLIENT_ID', 'cid_0123456789ab');
define('WU_SERVER_PILOT_API_KEY',   'k3yk3yk3yk3yk3y1');
define('WU_SERVER_PILOT_APP_ID',    'AAAAAAAAAAAAAAAA');
define('WU_SERVER_PILOT', true);

if ( !defined('ABSPATH') )
	define('ABSPATH', dirname(__FILE__) . '/');

require_once(ABSPATH . 'wp-settings.php');
