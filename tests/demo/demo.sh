#!/usr/bin/env bash
# Plays the main story in the terminal: a Connector becomes a working backup.
#
# Needs the three programs that `make demo` builds. Stays up until Ctrl-C, or with ONCE=1 ends by itself: with 0 only
# if the end state was reached.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
once=${ONCE:-}
dir=$root/.demo
namespace=backup
account=svc-backup@contoso.com
name="Contoso Power Platform"
connector=connector/contoso-power-platform
policy=serviceaccountpolicy/keepit-service-account

if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold='' dim='' plain=''; fi
chapter() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
say() { printf '%s\n' "$*"; }
run() {
  local word words=()
  for word in "$@"; do case $word in *' '*) words+=("${word%%=*}=\"${word#*=}\"") ;; *) words+=("$word") ;; esac; done
  printf '%s$ %s%s\n' "$dim" "${words[*]}" "$plain"
  "$@"
}

# One demo at a time plays in this folder. The lock is on a folder that is there anyway, and ends with this process: no
# program that is started to stay gets it.
exec {lock}<"$root/tests/demo"
if ! flock -n "$lock"; then
  echo "A demo is running in $root already: end it with Ctrl-C in its terminal first, or play this one in another clone." >&2
  exit 1
fi

pids=()
clean_up() {
  trap - EXIT INT TERM
  # Last started, first ended: the operator before what it talks to.
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
    kill "${pids[i]}" 2>/dev/null || true
    wait "${pids[i]}" 2>/dev/null || true
  done
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

give_up() {
  say "$*" >&2
  say "The operator's log: $dir/operator.log" >&2
  exit 1
}

# Waits for a file that a program of ours writes when it is ready.
ready() {
  local what=$1 file=$2 log=$3
  for _ in $(seq 600); do
    [ -s "$file" ] && return
    sleep 0.1
  done
  tail -n 5 "$log" >&2
  give_up "$what did not get ready"
}

# Waits until Ready has this reason.
until_reason() {
  kubectl wait -n "$namespace" "$1" --timeout=60s >/dev/null \
    --for=jsonpath='{.status.conditions[?(@.type=="Ready")].reason}'="$2" || give_up "$1 did not become $2"
}

both() {
  run kubectl get sapol -n "$namespace"
  run kubectl get bconn -n "$namespace"
}

events() {
  local reason kind message
  while IFS=$'\t' read -r reason kind message; do
    say "  $reason ($kind)"
    fold -s -w 74 <<<"$message" | sed 's/^/      /; s/ *$//'
  done < <(kubectl get events -n "$namespace" --sort-by=.eventTime \
    -o jsonpath='{range .items[*]}{.reason}{"\t"}{.involvedObject.kind}{"\t"}{.message}{"\n"}{end}')
}

hand_offs() {
  kubectl get -n "$namespace" "$1" \
    -o jsonpath='{range .status.handOffs[*]}  {.title}{"\n"}  who: {.who}{"\n"}{range .steps[*]}    - {@}{"\n"}{end}{"  done when: "}{.doneWhen}{"\n"}{end}'
}

findings() {
  kubectl get -n "$namespace" "$policy" \
    -o jsonpath='{range .status.findings[?(@.result=="Fail")]}  {.id} ({.stages[*]}): {.message}{"\n"}{end}'
}

cd "$root"
rm -rf "$dir"
mkdir -p "$dir/bin"
ln -s "$root/target/tools/cluster" "$dir/bin/kubectl"
ln -s "$root/target/debug/world" "$dir/bin/world"
export PATH="$dir/bin:$PATH" KUBECONFIG="$dir/cluster/kubeconfig/admin.yaml" WORLD_DIR="$dir/world"

chapter "A real Kubernetes API server, and a simulated Microsoft tenant and Keepit"
"$root/target/tools/cluster" up --with-parent=$$ --dir "$dir/cluster" >"$dir/cluster.log" 2>&1 {lock}<&- &
pids+=($!)
# The operator's app holds what README.md lists, and no permission more.
grep -vE -- '- (Application\.Read\.All|Directory\.Read\.All|RoleManagement\.Read\.Directory)$' \
  "$root/tests/world/worlds/contoso.yaml" >"$dir/contoso.yaml"
world up --with-parent --dir "$dir/world" --file "$dir/contoso.yaml" >"$dir/world.log" 2>&1 {lock}<&- &
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
grep -v '^#' "$root/examples/keepit-power-platform/operator/grants.yaml"
# The proxy is the world: it answers under the real names of Microsoft's and Keepit's hosts.
proxy=$(sed -n 's/.*"proxy": *"\([^"]*\)".*/\1/p' "$dir/world/world.json")
KUBECONFIG="$dir/operator.yaml" HTTPS_PROXY="$proxy" "$root/target/debug/backstay" run \
  --grants "$root/examples/keepit-power-platform/operator/grants.yaml" --ca-bundle "$dir/world/ca.pem" \
  --waiting-interval 2s --listen 127.0.0.1:0 >"$dir/operator.log" 2>&1 {lock}<&- &
operator=$!
pids+=("$operator")

chapter "What is declared: the service account's policy and the connector"
run kubectl apply -f examples/keepit-power-platform/
say "${dim}(checked every 10 s here, so that you need not wait)$plain"
kubectl patch -n "$namespace" "$policy" --type=merge -p '{"spec":{"interval":"10s"}}' >/dev/null
kubectl patch -n "$namespace" "$connector" --type=merge -p '{"spec":{"interval":"10s"}}' >/dev/null

chapter "What is missing, and whose turn it is"
until_reason "$connector" AwaitingPerson
until_reason "$policy" AwaitingPerson
kubectl wait -n "$namespace" "$connector" --for=condition=PolicySatisfied=False --timeout=30s >/dev/null
both
say
say "What the account lacks, and in which stage that counts:"
findings
say
say "What the operator has mended by itself, because it is allowed and granted:"
kubectl get events -n "$namespace" -o jsonpath='{range .items[*]}  {.reason}: {.message}{"\n"}{end}' |
  grep -E '^  (AppEnrolled|RoleAssigned|SecurityRoleAssigned):'
say
say "The policy's hand-off:"
hand_offs "$policy"
say "The connector's hand-off:"
hand_offs "$connector"

chapter "The person (played here): lets the account into the environment, signs in, creates the connector"
run world do add-environment-user environment="Contoso Test" user="$account"
until_reason "$policy" Satisfied
run world do sign-in-for-connector account=Contoso name="$name" type=dynamics365 user="$account"
kubectl wait -n "$namespace" "$connector" --for=condition=Provisioned --timeout=60s >/dev/null ||
  give_up "the connector was not adopted"
until_reason "$connector" NoBackup
say "Found by its name, and adopted:"
both

chapter "Time passes (played, too): the first backup finishes"
run world do finish-backup connector="$name"
kubectl wait -n "$namespace" "$connector" --for=condition=Ready --timeout=60s >/dev/null || give_up "the connector is not Ready"
until_reason "$policy" Satisfied
kubectl wait -n "$namespace" "$connector" --for=condition=Ready --timeout=60s >/dev/null || give_up "the connector is not Ready"
both
say
say "What the operator wrote at Microsoft, in order: what replaces Global Administrator first, its removal last."
run world calls --writes
say
say "What happened, as Events:"
events

ready=$(kubectl get -n "$namespace" "$connector" -o jsonpath='{.status.conditions[?(@.type=="Ready")].status}')
[ "$ready" = True ] || give_up "the end state was not reached"
# Not the operator's word for it: the tenant's own.
roles=$(world state /tenants/0/role_assignments | tr -d ' \n') || give_up "the tenant can't be asked"
holds() { [[ $roles == *"\"principal\":\"0d5b6a1c-2f3e-4a4d-8c5b-7e6f5a4b3c2d\",\"role\":\"$1\""* ]]; }
holds 11648597-926c-4cf3-9c36-bcebb0ba8dcc || give_up "the account does not hold Power Platform Administrator"
! holds 62e90394-69f5-4237-9190-012177145e10 || give_up "the account still holds Global Administrator"
kill -0 "$operator" 2>/dev/null || give_up "the operator has ended"
say
say "${bold}Ready=True: the connector is authorized, backed up, and its account holds exactly what it needs.$plain"
[ -n "$once" ] && exit 0

# From here on Ctrl-C is how it ends.
trap 'say; exit 0' INT TERM
cat <<LOOK

${bold}It stays up until Ctrl-C. In another terminal:$plain
  cd $root
  export KUBECONFIG=$KUBECONFIG WORLD_DIR=$WORLD_DIR PATH=$dir/bin:\$PATH

  kubectl get sapol,bconn -n $namespace -o wide
  kubectl describe bconn -n $namespace contoso-power-platform
  world do remove-directory-role user=$account role="Power Platform Administrator" && kubectl get sapol -n $namespace -w
      (break something: within 10 s the policy says so, and puts it back)

The operator's log: $dir/operator.log
LOOK
wait "$operator" || give_up "the operator has ended"
