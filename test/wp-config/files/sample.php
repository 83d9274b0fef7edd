<?php
/**
 * The base configuration of a WordPress site, as the installer leaves it.
 *
 * @package WordPress
 */

// ** Database settings ** //
/** The name of the database */
define( 'DB_NAME', 'network' );

/** Database username */
define( 'DB_USER', 'network_user' );

/** Database password */
define( 'DB_PASSWORD', 'it\'s \\ "quoted" $not a variable' );

/** Database hostname */
define( 'DB_HOST', 'localhost' );

/** Database charset to use in creating database tables. */
define( 'DB_CHARSET', 'utf8mb4' );

/** The database collate type. Don't change this if in doubt. */
define( 'DB_COLLATE', '' );

/**#@+
 * Keys and salts.
 */
define( 'AUTH_KEY',         '<?php echo 1 ?> \'}{)(' );
define( 'NONCE_SALT',       '//# /* no comment */' );
/**#@-*/

# define( 'DB_NAME', 'not this one' );
/* define( 'DB_USER', 'nor this one' ); */
// define( 'DB_PASSWORD', 'nor this one' );

$table_prefix = 'net_';

define( 'WP_DEBUG', false );

/* Add any custom values between this line and the "stop editing" line. */

define( 'WP_ALLOW_MULTISITE', true );
define( 'MULTISITE', true );
define( 'SUBDOMAIN_INSTALL', true );
$base = '/';
define( 'DOMAIN_CURRENT_SITE', 'network.example' );
define( 'PATH_CURRENT_SITE', '/' );
define( 'SITE_ID_CURRENT_SITE', 1 );
define( 'BLOG_ID_CURRENT_SITE', 1 );
define( 'SUNRISE', 'on' );

define( 'WU_SERVER_PILOT_CLIENT_ID', 'cid_0123456789ab' );
define( 'WU_SERVER_PILOT_API_KEY', 'k3yk3yk3yk3yk3y1' );
define( 'WU_SERVER_PILOT_APP_ID', 'AAAAAAAAAAAAAAAA' );

/* That's all, stop editing! Happy publishing. */

if ( ! defined( 'ABSPATH' ) ) {
	define( 'ABSPATH', __DIR__ . '/' );
}

require_once ABSPATH . 'wp-settings.php';
