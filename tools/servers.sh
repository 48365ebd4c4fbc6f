#!/bin/sh
# servers.sh [PREFIX|NAME]...: the names, with commas, of our start scripts that begin so, and of all in $PEERS.
set -eu

cd "$(dirname "$0")/.."
names=
for script in $(for wanted; do ls benches/servers/"$wanted"*-echo.sh; done) ${PEERS:+"$PEERS"/*-echo.sh}; do
    name=$(basename "$script" -echo.sh)
    case $name in *-deflate*) ;; *) names="${names:+$names,}$name" ;; esac
done
echo "$names"
