<?php

// A program that handles SIGTERM itself, and SIGUSR1 besides.

declare(strict_types=1);

require __DIR__ . '/prelude.php';

$server = server();
$server->endpoint('/');
pcntl_signal(SIGTERM, static function () use ($server): void {
    echo "mine\n";
    $server->stop();
});
pcntl_signal(SIGUSR1, static function (): void {
    echo "usr1\n";
});
ready($server);
$server->run();
echo 'SIGINT is ', pcntl_signal_get_handler(SIGINT) === SIG_DFL ? 'default' : 'changed', "\n";
