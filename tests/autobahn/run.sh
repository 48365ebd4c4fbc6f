#!/usr/bin/env bash
# run.sh URL AGENT OUTDIR [CASES...]
#
# Runs the Autobahn fuzzing client against a server that already runs, and writes
# the usual JSON and HTML report under OUTDIR.  CASES are case ids or patterns
# ("1.*" "6.4.3"); none means all 517.  Quote patterns, so that the shell leaves
# them alone.
#
#   EXCLUDE="9.* 13.*"   cases to leave out           (default: none)
#   WSTEST_TIMEOUT=3600  seconds for the whole run    (default: 3600)
#   SUMMARY_ARGS=...     further arguments for summary.py
#   AUTOBAHN_VENV=DIR    where install.sh put the suite
#
# Exit: 0 all passed, 1 a case failed or is missing, 2 the run itself went wrong.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
py=$(realpath -s "${AUTOBAHN_VENV:-$root/.cache/autobahn}")/bin/python

if [ $# -lt 3 ]; then sed -n '2,15s/^# \{0,1\}//p' "$0" >&2; exit 2; fi
url=$1 agent=$2 outdir=$3; shift 3
[ -x "$py" ] || { echo "run.sh: no $py; run $here/install.sh first" >&2; exit 2; }

mkdir -p "$outdir" || exit 2
outdir=$(cd "$outdir" && pwd)
# an older report must never be read as this run's
rm -f "$outdir"/index.json "$outdir"/index.html "$outdir"/*_case_*.json "$outdir"/*_case_*.html \
      "$outdir"/cases.json "$outdir"/run.json "$outdir"/spec.json "$outdir"/wstest.log

"$py" "$here/makespec.py" "$url" "$agent" "$outdir" "${EXCLUDE:-}" "$@" || exit 2

start=$(date +%s.%N)
# --foreground: `timeout` would otherwise leave this process group, and wstest would
# outlive a killed run.sh
(cd "$outdir" && exec timeout --foreground -k 10 "${WSTEST_TIMEOUT:-3600}" "$py" -u -m autobahntestsuite.wstest \
    -m fuzzingclient -s "$outdir/spec.json") >"$outdir/wstest.log" 2>&1 &
child=$!
trap 'kill "$child" 2>/dev/null; wait "$child"; echo "run.sh: stopped" >&2; exit 2' INT TERM HUP
wait "$child"
rc=$?
trap - INT TERM HUP
end=$(date +%s.%N)
secs=$(awk -v a="$start" -v b="$end" 'BEGIN{printf "%.1f", b-a}')
printf '{"wstest_rc": %d, "seconds": %s, "url": "%s"}\n' "$rc" "$secs" "$url" >"$outdir/run.json"
[ "$rc" = 124 ] && echo "run.sh: stopped after ${WSTEST_TIMEOUT:-3600} s (WSTEST_TIMEOUT)" >&2
python3 "$here/summary.py" "$outdir" ${SUMMARY_ARGS:-}
