#!/usr/bin/env bash
# Builds the test cluster and shows how far it is: from an empty cache it compiles all of Kubernetes' API server.
set -euo pipefail
out=$1
cd "$(dirname "$0")"

echo "Building the Kubernetes API server, etcd and kubectl (the first time: 7 to 15 minutes on 2 cores)"
# -trimpath on every go command here: without it everything would be compiled a second time.
packages=$(go list -trimpath -deps . | wc -l)
step=100
[ -t 1 ] && step=10
go build -trimpath -ldflags "$(cat ldflags)" -v -o "$out" . 2>&1 | while read -r line; do
  case $line in
    *[[:space:]]*) echo "$line" >&2 ;; # downloads and errors have words in them, packages have none
    *)
      built=$((${built:-0} + 1))
      if ((built % step == 0)); then
        if [ -t 1 ]; then printf '\r  %d of %d packages' "$built" "$packages"; else echo "  $built of $packages packages"; fi
      fi
      ;;
  esac
done
[ ! -t 1 ] || printf '\r\033[K'
