<?php
/* In place of WordPress: the constants and the prefix as they are when it begins, and no more of the file. */
$__constants = [];
foreach (['DB_NAME', 'DB_USER', 'DB_PASSWORD', 'DB_HOST', 'MYSQL_CLIENT_FLAGS', 'WU_SERVER_PILOT_CLIENT_ID', 'WU_SERVER_PILOT_API_KEY', 'WU_SERVER_PILOT_APP_ID'] as $__name)
    if (defined($__name)) $__constants[$__name] = (string) constant($__name);
echo "\n", json_encode(['constants' => (object) $__constants, 'prefix' => $GLOBALS['table_prefix'] ?? null]);
exit;
