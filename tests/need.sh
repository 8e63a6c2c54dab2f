#!/usr/bin/env bash
# Has this machine a program, or can it be had from Debian's package? usage: need.sh PROGRAM PACKAGE
# Where it can't, what needs it is skipped, and that is said.
set -uo pipefail
program=$1 package=$2
command -v "$program" >/dev/null && exit 0
echo "Installing $program (Debian's $package)"
install() { DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1; }
if command -v apt-get >/dev/null && { install || { apt-get update -qq >/dev/null 2>&1 && install; }; }; then
  command -v "$program" >/dev/null && exit 0
fi
echo "skipped: $program is not here and can't be installed; install $package yourself to have this tested" >&2
exit 1
