<?php
// Secrets stand in the environment; the database differs by stage.
const STAGE_DEFAULT = 'live';
$stage = getenv('STAGE') ?: STAGE_DEFAULT;
$databases = array(
	'live' => array( 'name' => 'network_live', 'host' => 'db.internal:3307' ),
	'test' => array( 'name' => 'network_test', 'host' => 'db.internal:3308' ),
);
$db = $databases[$stage];

define('DB_NAME', $db['name']);
define('DB_HOST', "{$db['host']}");
define('DB_USER', $_SERVER['DATABASE_USER'] ?? 'network');
define('DB_PASSWORD', getenv('DATABASE_PASSWORD'));

if (getenv('DATABASE_TLS') == '1') {
	define('MYSQL_CLIENT_FLAGS', MYSQLI_CLIENT_SSL | MYSQLI_CLIENT_SSL_DONT_VERIFY_SERVER_CERT);
}

$table_prefix  = 'n';
$table_prefix .= '_';

defined('WU_SERVER_PILOT_CLIENT_ID') || define('WU_SERVER_PILOT_CLIENT_ID', getenv('SP_CLIENT'));
defined('WU_SERVER_PILOT_API_KEY') or define('WU_SERVER_PILOT_API_KEY', trim(getenv('SP_KEY')));
if (!defined('WU_SERVER_PILOT_APP_ID')):
	define('WU_SERVER_PILOT_APP_ID', <<<ID
	AAAAAAAAAAAAAAAA
	ID);
endif;

if (php_sapi_name() === 'cli') {
	define('WP_DEBUG_DISPLAY', true);
}

require_once __DIR__ . '/vendor/autoload.php';
require_once ABSPATH . 'wp-settings.php';
