#!/bin/sh
exec "$(dirname "$0")/../start" driver-poll echo "$@"
