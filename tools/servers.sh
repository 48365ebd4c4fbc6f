#!/bin/sh
# servers.sh [PREFIX|NAME]...: the names, with commas, of our start scripts that begin so, and of all in $PEERS.
# servers.sh --deflate NAME...: these names, and those of all in $PEERS that compress; both with and without.
set -eu

cd "$(dirname "$0")/.."
names=
if [ "${1:-}" = --deflate ]; then
    shift
    for name; do names="${names:+$names,}$name"; done
    for script in ${PEERS:+"$PEERS"/*-deflate-echo.sh}; do
        name=$(basename "$script" -deflate-echo.sh)
        names="$names,$name,${name%-takeover}"
    done
    echo "$names"
    exit
fi
for script in $(for wanted; do ls benches/servers/"$wanted"*-echo.sh; done) ${PEERS:+"$PEERS"/*-echo.sh}; do
    name=$(basename "$script" -echo.sh)
    case $name in *-deflate* | *-stream) ;; *) names="${names:+$names,}$name" ;; esac
done
echo "$names"
