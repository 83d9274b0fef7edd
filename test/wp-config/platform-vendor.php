<?php
/* Stands in for what Composer brings along: the parts of Bedrock's packages and of phpdotenv that configurations use. */
namespace Roots\WPConfig {
    class Config {
        private static $map = [];
        public static function define($name, $value) { self::$map[$name] = $value; }
        public static function get($name) { return self::$map[$name]; }
        public static function apply() { foreach (self::$map as $name => $value) \defined($name) || \define($name, $value); }
    }
}

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

namespace Dotenv\Repository {
    class RepositoryBuilder {
        public $adapters = [];
        public static function createWithNoAdapters() { return new self; }
        public function addAdapter($class) { $this->adapters[] = $class; return $this; }
        public function immutable() { return $this; }
        public function make() { return $this; }
    }
}

namespace Dotenv {
    class Dotenv {
        private $files, $env, $server, $put;
        public function __construct($folder, $names = '.env', $first = true, $env = true, $server = true, $put = true) {
            $paths = array_values(array_filter(array_map(fn ($name) => "$folder/$name", (array) ($names ?? '.env')), 'is_file'));
            $this->files = $first ? array_slice($paths, 0, 1) : $paths;
            [$this->env, $this->server, $this->put] = [$env, $server, $put];
        }
        public static function createImmutable($folder, $names = null, $first = true) { return new self($folder, $names, $first, true, true, false); }
        public static function createUnsafeImmutable($folder, $names = null, $first = true) { return new self($folder, $names, $first); }
        public static function create($repository, $folder, $names = null, $first = true) {
            $has = fn ($adapter) => (bool) preg_grep("/$adapter/", $repository->adapters);
            return new self($folder, $names, $first, $has('EnvConst'), $has('ServerConst'), $has('Putenv'));
        }
        public function required($names) { return $this; }
        public function safeLoad() { return $this->load(); }
        public function load() {
            $loaded = [];
            foreach ($this->files as $file)
                foreach (file($file, FILE_IGNORE_NEW_LINES) as $line) {
                    if (!preg_match('/^\s*(?:export\s+)?(\w+)\s*=\s*(?:\'([^\']*)\'|"([^"]*)"|([^\s#]*))/', $line, $found)) continue;
                    $value = ($found[2] ?? '') . ($found[3] ?? '') . ($found[4] ?? '');
                    $loaded[$found[1]] = preg_replace_callback('/\$\{(\w+)\}/', fn ($name) => $loaded[$name[1]] ?? '', $value);
                }
            foreach ($loaded as $name => $value) {
                if (getenv($name) !== false) continue;
                if ($this->env) $_ENV[$name] = $value;
                if ($this->server) $_SERVER[$name] = $value;
                if ($this->put) putenv("$name=$value");
            }
        }
    }
}
