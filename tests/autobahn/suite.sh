#!/usr/bin/env bash
# suite.sh [--short] NAME...
#
# Runs Autobahn sections 1 to 10 (--short: without 9), strict, against
# benches/servers/NAME-echo.sh on a port of its own, one NAME after the other
# (c-push, c-pull, rust, python-callback, python-asyncio, php-callback); a NAME
# that ends in .py or .php is an example that takes an address, from the root.
# REVOLT names the sources of Revolt's event loop: PHP's servers then run in it.
# Of those that compress, NAME-deflate, sections 12 and 13 (--short: of each kind
# the shortest messages).
# Installs the suite when it is not there. Reports: target/autobahn/NAME/index.html
#
# Exit: 0 every case of every NAME passed, 1 some did not, 2 nothing could be run.
# Without a Python 2.7 nothing runs: 0 with --short, so that a quick check works
# on any machine, else 2.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

short=
if [ "${1:-}" = --short ]; then short=1; shift; fi
if [ $# = 0 ]; then sed -n '2,14s/^# \{0,1\}//p' "$0" >&2; exit 2; fi
for name; do
    case $name in
        *.py | *.php) [ -f "$root/$name" ] || { echo "suite.sh: no $name" >&2; exit 2; } ;;
        *) [ -x "$root/benches/servers/$name-echo.sh" ] ||
            { echo "suite.sh: no benches/servers/$name-echo.sh" >&2; exit 2; } ;;
    esac
done

said=$("$here/install.sh" 2>&1)
case $? in
    0) ;;
    3) echo "suite.sh: NO PYTHON 2.7 FOUND, THE AUTOBAHN SUITE WAS NOT RUN (install one or set PYTHON27)" >&2
       [ -n "$short" ] && exit 0
       exit 2 ;;
    *) printf '%s\n' "$said" >&2; exit 2 ;;
esac

# there is no section 8; 9 (limits and performance) is most of the time
sections=('1.*' '2.*' '3.*' '4.*' '5.*' '6.*' '7.*' '10.*')
[ -n "$short" ] || sections+=('9.*')
compressed=('12.*' '13.*')
if [ -n "$short" ]; then
    compressed=()
    for kind in 12.{1..5} 13.{1..7}; do compressed+=("$kind.1"); done
fi

scratch=$(mktemp -d)
server=
stop_server() {
    [ -n "$server" ] || return 0
    kill -TERM "$server" 2>/dev/null
    timeout 10 tail -s 0.1 --pid="$server" -f /dev/null || kill -KILL "$server" 2>/dev/null
    wait "$server"
    status=$?
    server=
    return $status
}
trap 'stop_server; rm -rf "$scratch"' EXIT
trap 'exit 2' INT TERM HUP

# start_server NAME: sets $server and $port
start_server() {
    local line
    rm -f "$scratch/out"
    mkfifo "$scratch/out"
    case $1 in
        *.php) php ${REVOLT:+-d "auto_prepend_file=$root/bindings/php/tests/revolt.php"} \
            "$root/$1" 127.0.0.1:0 >"$scratch/out" & ;;
        *.py) PYTHONPATH=$root/bindings/python/src "${PYTHON:-python3}" "$root/$1" 127.0.0.1:0 >"$scratch/out" & ;;
        *) "$root/benches/servers/$1-echo.sh" 0 >"$scratch/out" & ;;
    esac
    server=$!
    exec 3<"$scratch/out"
    port=
    while IFS= read -r -t 900 -u 3 line; do                    # the script may build the library first
        if [[ $line =~ ^"listening on ws://127.0.0.1:"([0-9]+)/ ]]; then
            port=${BASH_REMATCH[1]}
            return 0
        fi
    done
    echo "suite.sh: $1 ended or stalled without saying where it listens" >&2
    return 1
}

failed=()
for name; do
    echo "== $name"
    if start_server "$name"; then
        case $name in
            *-deflate*) cases=("${compressed[@]}") ;;
            *) cases=("${sections[@]}") ;;
        esac
        SUMMARY_ARGS=--strict "$here/run.sh" "ws://127.0.0.1:$port" "$name" "$root/target/autobahn/${name%.p*}" \
            "${cases[@]}" || failed+=("$name")
        stop_server || { echo "suite.sh: $name left with status $? on SIGTERM" >&2; failed+=("$name"); }
    else
        stop_server
        failed+=("$name")
    fi
done

if [ ${#failed[@]} -gt 0 ]; then
    echo "suite.sh: failed: $(printf '%s\n' "${failed[@]}" | sort -u | tr '\n' ' ')" >&2
    exit 1
fi
