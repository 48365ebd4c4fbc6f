<?php

declare(strict_types=1);

require __DIR__ . '/../autoload.php';
foreach (['Deadline', 'RawClient', 'ServerProcess', 'ServerTestCase', 'CompressTests', 'StreamingTests', 'FiberTestCase'] as $class) {
    require __DIR__ . "/$class.php";
}
