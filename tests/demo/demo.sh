#!/usr/bin/env bash
# Plays four stories in the terminal: a Connector becomes a working backup; a tenant where much is wrong is put right; three vendors
# side by side; an authorization dies, and somebody signs in again.
#
# Needs the three programs that `make demo` builds. STORY=main-story, broken-tenant, three-vendors or reauthentication plays one of them. Stays up until
# Ctrl-C, or with ONCE=1 ends by itself: with 0 only if the end state of each story was reached.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
once=${ONCE:-}
dir=$root/.demo
stories=${STORY:-main-story broken-tenant three-vendors reauthentication}
for story in $stories; do
  [ -e "$root/tests/demo/$story.sh" ] || { echo "There is no story $story: main-story, broken-tenant, three-vendors, reauthentication, walk" >&2; exit 2; }
done

# shellcheck source=tests/demo/common.sh
. "$root/tests/demo/common.sh"

# One demo at a time plays in this folder. The lock is on a folder that is there anyway, and ends with this process: no
# program that is started to stay gets it.
exec {lock}<"$root/tests/demo"
if ! flock -n "$lock"; then
  echo "A demo is running in $root already: end it with Ctrl-C in its terminal first, or play this one in another clone." >&2
  exit 1
fi

trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

cd "$root"
rm -rf "$dir"
mkdir -p "$dir/bin"
ln -s "$root/target/tools/cluster" "$dir/bin/kubectl"
ln -s "$root/target/debug/world" "$dir/bin/world"
export PATH="$dir/bin:$PATH" KUBECONFIG="$dir/cluster/kubeconfig/admin.yaml" WORLD_DIR="$dir/world"

chapter "A real Kubernetes API server, and simulated Microsoft tenants, Keepit and AvePoint"
"$root/target/tools/cluster" up --with-parent=$$ --dir "$dir/cluster" >"$dir/cluster.log" 2>&1 {lock}<&- &
pids+=($!)
worlds=$root/tests/world/worlds
# The operator's app holds what README.md lists, and no permission more.
grep -vE -- '- (Application\.Read\.All|Directory\.Read\.All|RoleManagement\.Read\.Directory)$' \
  "$worlds/contoso.yaml" >"$dir/contoso.yaml"
world up --with-parent --dir "$dir/world" --file "$dir/contoso.yaml" --file "$worlds/northwind.yaml" --file "$worlds/tailspin.yaml" \
  >"$dir/world.log" 2>&1 {lock}<&- &
pids+=($!)
ready "the cluster" "$dir/cluster/ready" "$dir/cluster.log"
ready "the world" "$dir/world/world.json" "$dir/world.log"
run kubectl version | grep Server

chapter "The operator: its CRDs, its own user and rights, and what it may do outside (the grants)"
run kubectl apply -f crds/ -f install/
kubectl wait --for=condition=Established --timeout=30s crd/connectors.backstay.dev crd/serviceaccountpolicies.backstay.dev >/dev/null
token=$(kubectl create token backstay -n backstay-system --duration=24h)
server=$(kubectl config view -o jsonpath='{.clusters[0].cluster.server}')
kubectl config view --raw -o jsonpath='{.clusters[0].cluster.certificate-authority-data}' | base64 -d >"$dir/ca.pem"
(
  export KUBECONFIG="$dir/operator.yaml"
  kubectl config set-cluster demo --server="$server" --certificate-authority="$dir/ca.pem" --embed-certs
  kubectl config set-credentials backstay --token="$token"
  kubectl config set-context demo --cluster=demo --user=backstay
  kubectl config use-context demo
) >/dev/null
for file in examples/*/operator/grants.yaml; do
  say "# $file"
  grep -v '^#' "$file"
done | tee "$dir/grants.yaml"
# The proxy is the world: it answers under the real names of Microsoft's and Keepit's hosts. So do the commands go there that look outside.
proxy=$(sed -n 's/.*"proxy": *"\([^"]*\)".*/\1/p' "$dir/world/world.json")
cat >"$dir/bin/backstay" <<COMMAND
#!/bin/sh
HTTPS_PROXY=$proxy BACKSTAY_CA_BUNDLE='$dir/world/ca.pem' BACKSTAY_GRANTS='$dir/grants.yaml' exec '$root/target/debug/backstay' "\$@"
COMMAND
chmod +x "$dir/bin/backstay"
ln -s backstay "$dir/bin/kubectl-backstay"
ln -s "$root/target/debug/backstay" "$dir/bin/kubectl_complete-backstay"
KUBECONFIG="$dir/operator.yaml" HTTPS_PROXY="$proxy" "$root/target/debug/backstay" run \
  --grants "$dir/grants.yaml" --ca-bundle "$dir/world/ca.pem" --operator-namespace backstay-system \
  --waiting-interval 2s --listen 127.0.0.1:0 >"$dir/operator.log" 2>&1 {lock}<&- &
operator=$!
pids+=("$operator")

look=
for story in $stories; do
  # shellcheck source=/dev/null
  . "$root/tests/demo/$story.sh"
  kill -0 "$operator" 2>/dev/null || give_up "the operator has ended"
done
[ -n "$once" ] && exit 0

# From here on Ctrl-C is how it ends.
trap 'say; exit 0' INT TERM
cat <<LOOK

${bold}It stays up until Ctrl-C. In another terminal:$plain
  cd $root
  export KUBECONFIG=$KUBECONFIG WORLD_DIR=$WORLD_DIR PATH=$dir/bin:\$PATH

  kubectl get sapol,bconn -A -o wide
  kubectl backstay status -A$look

The operator's log: $dir/operator.log
Its metrics:        http://$(sed -n 's/.*"listen":"\([^"]*\)".*/\1/p' "$dir/operator.log" | head -n 1)/metrics
LOOK
wait "$operator" || give_up "the operator has ended"
