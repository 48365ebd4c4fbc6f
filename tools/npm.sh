#!/bin/sh
# npm.sh PACKAGE...: installs these packages, in the versions of tools/npm.versions, below .cache/npm, and node and npm
# where they are missing; prints the directory. Quiet, and nothing to do the next time.
set -eu

cd "$(dirname "$0")/.."
modules=$PWD/.cache/npm
tools/packages.sh node:nodejs npm:npm >&2
missing=
for package; do
    version=$(sed -n "s/^$package //p" tools/npm.versions)
    [ -n "$version" ] || { echo "npm.sh: tools/npm.versions has no $package" >&2; exit 1; }
    grep -qs "\"version\": \"$version\"" "$modules/node_modules/$package/package.json" ||
        missing="$missing $package@$version"
done
if [ -n "$missing" ]; then
    mkdir -p "$modules"
    # shellcheck disable=SC2086 # a list of words
    said=$(npm install --prefix "$modules" --silent --no-audit --no-fund --no-save $missing 2>&1) ||
        { echo "could not install$missing: $said" | tr '\n' ' ' >&2; exit 1; }
fi
echo "$modules"
