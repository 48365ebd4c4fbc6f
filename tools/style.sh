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
for script in $(git ls-files '*.sh' .ci/run); do
    [ -x "$script" ] || case $script in benches/servers/build.sh) ;; *) say "$script is not executable" ;; esac
done
exit $bad
