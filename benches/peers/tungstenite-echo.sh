#!/bin/sh
exec "$(dirname "$0")/../start" peer-tungstenite echo "$@"
