<?php
/*
 * Runs PHP files as wp-load.php includes a wp-config.php, each in a process of its own, and prints a line of JSON for each: the constants
 * and variables that are asked for. `php run.php NAMES FILE…`, NAMES as {"constants": […], "variables": […]}.
 */
namespace Roots\WPConfig {
    class Config {
        private static $map = [];
        public static function define($name, $value) { self::$map[$name] = $value; }
        public static function get($name) { return self::$map[$name]; }
        public static function apply() { foreach (self::$map as $name => $value) \define($name, $value); }
    }
}

// As the library oscarotero/env converts.
namespace Env {
    function env($name) {
        $value = \getenv($name);
        if ($value === false) return null;
        switch (strtolower($value)) {
            case 'true': return true;
            case 'false': return false;
            case 'null': return null;
        }
        if (ctype_digit($value)) return (int) $value;
        if ($value !== '' && $value[0] === substr($value, -1) && in_array($value[0], ['"', "'"])) return substr($value, 1, -1);
        return $value;
    }
}

namespace {
    error_reporting(0);
    foreach (['MYSQLI_CLIENT_SSL' => 2048, 'MYSQLI_CLIENT_SSL_DONT_VERIFY_SERVER_CERT' => 64, 'MYSQLI_CLIENT_COMPRESS' => 32] as $name => $value)
        if (!defined($name)) define($name, $value);
    $__names = json_decode($argv[1], true);
    $__files = array_slice($argv, 2);
    foreach ($__files as $__file) {
        if ($__child = pcntl_fork()) {
            pcntl_waitpid($__child, $__status);
            continue;
        }
        ob_start();
        define('ABSPATH', dirname($__file) . '/');
        $name = $value = null;
        unset($name, $value);
        $__fault = null;
        try {
            include $__file;
        } catch (Throwable $__fault) {
        }
        ob_end_clean();
        $__text = fn ($value) => is_array($value) ? ['array'] : (string) $value;
        $__seen = ['file' => $__file, 'fault' => $__fault !== null, 'constants' => [], 'variables' => []];
        foreach ($__names['constants'] as $__name) if (defined($__name)) $__seen['constants'][$__name] = $__text(constant($__name));
        foreach ($__names['variables'] as $__name) if (isset($$__name)) $__seen['variables'][$__name] = $__text($$__name);
        echo json_encode($__seen, JSON_INVALID_UTF8_SUBSTITUTE | JSON_FORCE_OBJECT), "\n";
        exit;
    }
}
