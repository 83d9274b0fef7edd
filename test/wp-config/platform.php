<?php
/* Loads a wp-config.php as wp-load.php does: `php platform.php PATH`. Its wp-settings.php prints what it came to. */
error_reporting(0);
foreach (['SSL' => 2048, 'SSL_DONT_VERIFY_SERVER_CERT' => 64, 'SSL_VERIFY_SERVER_CERT' => 1073741824] as $name => $value)
    if (!defined("MYSQLI_CLIENT_$name")) define("MYSQLI_CLIENT_$name", $value);
unset($name, $value);
define('ABSPATH', dirname($argv[1]) . '/');
require $argv[1];
