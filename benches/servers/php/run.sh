#!/bin/sh
# run.sh callback MODE PORT: becomes the PHP server.
set -eu

program=$1
shift
sources=$(cd "$(dirname "$0")" && pwd)
. "$sources/../build.sh"

# The tracing JIT takes a third off the loop that delivers messages.
exec php -d opcache.enable_cli=1 -d opcache.jit=tracing -d opcache.jit_buffer_size=32M \
    "$sources/$program.php" "$@"
