#!/bin/sh
exec "$(dirname "$0")/../start" driver-task echo "$@"
