#!/usr/bin/env bash
# Is the image what it says: a binary that needs nothing else, run as nobody, that finds names, certificate authorities and time zones?
# usage: run.sh BINARY FOLDER (what the image is made of is put there)
set -euo pipefail
cd "$(dirname "$0")/../.."
binary=$1 folder=$2
say() { echo "image: $*"; }
die() { echo "image: $*" >&2; exit 1; }

# What asks for no loader is static.
readelf -l "$binary" > /dev/null || die "$binary can't be read"
if readelf -l "$binary" | grep -q INTERP; then die "$binary is not static"; fi
rm -rf "$folder"
install -D -m 0755 "$binary" "$folder/image/backstay"
install -D -m 0644 /etc/ssl/certs/ca-certificates.crt "$folder/image/etc/ssl/certs/ca-certificates.crt"

buildah=(buildah --storage-driver vfs --root "$folder/storage" --runroot "$folder/run")
"${buildah[@]}" bud --quiet --isolation chroot --build-context "build=$folder" -t backstay . > /dev/null
container=$("${buildah[@]}" from --pull-never backstay)
trap '"${buildah[@]}" rm "$container" > /dev/null; rm -rf "$folder/storage" "$folder/run"' EXIT
[ "$("${buildah[@]}" inspect --format '{{.OCIv1.Config.User}} {{.OCIv1.Config.Entrypoint}} {{.OCIv1.Config.Cmd}}' "$container")" \
  = "65532:65532 [/backstay] [run]" ] || die "user, entrypoint or command are others"
run() { "${buildah[@]}" run --isolation chroot "$container" -- /backstay "$@"; }
run --version
run crd | diff - crds/backstay.yaml || die "it has other kinds than crds/backstay.yaml"
# Nobody listens there: that it says so means that it has read the kubeconfig, found the name, and looked for authorities.
mounted=$(mktemp -d)
cat > "$mounted/kubeconfig" <<'KUBECONFIG'
{ apiVersion: v1, kind: Config, current-context: c, contexts: [{ name: c, context: { cluster: c, user: u } }],
  clusters: [{ name: c, cluster: { server: "https://localhost:9" } }], users: [{ name: u, user: { token: t } }] }
KUBECONFIG
chmod -R a+rX "$mounted"
said=$("${buildah[@]}" run --isolation chroot --volume "$mounted:/mounted:ro" --env KUBECONFIG=/mounted/kubeconfig "$container" -- /backstay status 2>&1 || true)
rm -rf "$mounted"
case $said in *"client error (Connect)"*) ;; *) die "it does not get as far as to a refused connection: $said" ;; esac
say "$(du -h --apparent-size "$folder/image/backstay" | cut -f1) binary, runs as 65532 from scratch"
