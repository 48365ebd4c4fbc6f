#!/bin/sh
# Static analysis of the PHP package by mago, which neither Debian nor npm has: not a part of `make lint`.
set -eu
cd "$(dirname "$0")/../bindings/php"
if ! command -v mago >/dev/null; then
    echo "mago is missing: cargo install mago (a quarter of an hour), or a release of github.com/carthage-software/mago" >&2
    exit 1
fi
if [ ! -e vendor ]; then
    echo "bindings/php/vendor is missing, the packages that ours names: composer install in bindings/php" >&2
    exit 1
fi
exec mago analyze
