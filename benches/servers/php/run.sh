#!/bin/sh
# run.sh callback|fiber MODE PORT: becomes the PHP server. REVOLT names the sources of Revolt's event loop to run in.
set -eu

program=$1
shift
sources=$(cd "$(dirname "$0")" && pwd)
. "$sources/../build.sh"

# The tracing JIT takes a third off the loop that delivers messages.
if [ -n "${REVOLT:-}" ]; then
    options="-d auto_prepend_file=$root/bindings/php/tests/revolt.php"
fi
# shellcheck disable=SC2086 # several words, or none
exec php ${options:-} -d opcache.enable_cli=1 -d opcache.jit=tracing -d opcache.jit_buffer_size=32M \
    "$sources/$program.php" "$@"
