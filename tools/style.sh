#!/bin/sh
# style.sh: rules of CONTRIBUTING.md that no other tool checks.
set -eu

cd "$(dirname "$0")/.."
bad=0
say() {
    echo "style: $*" >&2
    bad=1
}

# unsafe stays at the edges: the C ABI and the system calls.
for file in $(git ls-files 'src/*.rs' | xargs grep -l '\bunsafe {' | grep -v -e '^src/ffi/' -e '^src/sys/' || true); do
    say "$file has unsafe, outside of src/ffi and src/sys"
done
# Nothing that a host sent may panic.
for file in $(git ls-files 'src/*.rs' | xargs grep -lE '\.(unwrap|expect)\(' | grep -v -e '_tests\.rs$' -e '_models\.rs$' -e 'tests\.rs$' -e harness || true); do
    awk '/#\[cfg\(test\)\]/ { exit } /\.(unwrap|expect)\(/ && !/^ *\/\// { found = 1 } END { exit !found }' "$file" &&
        say "$file may panic: unwrap or expect outside of tests"
done
for script in $(git ls-files '*.sh' .ci/run); do
    [ -x "$script" ] || case $script in benches/servers/build.sh) ;; *) say "$script is not executable" ;; esac
done
exit $bad
