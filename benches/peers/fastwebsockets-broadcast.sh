#!/bin/sh
exec "$(dirname "$0")/../start" peer-fastwebsockets broadcast "$@"
