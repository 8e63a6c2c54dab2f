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
# What it is made of is in it, as scanners of images look for it: JSON, compressed, in a section of its own.
section=$(mktemp -d)
objcopy --dump-section ".dep-v0=$section/compressed" "$binary" "$section/binary" || die "the binary does not say what it is made of"
# zlib's form, in gzip's clothes: its two first bytes for ten of gzip's, whose checksum at the end is missed.
made_of=$({ printf '\x1f\x8b\x08\0\0\0\0\0\0\0'; tail -c +3 "$section/compressed"; } | gzip -dc 2>/dev/null || true)
rm -rf "$section"
for crate in backstay kube rustls; do
  grep -q "\"name\":\"$crate\"" <<<"$made_of" || die "$crate is not among what the binary says that it is made of"
done
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
