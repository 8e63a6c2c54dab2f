# The main story: a Connector becomes a working backup. Sourced by demo.sh.
# shellcheck shell=bash

namespace=backup
account=svc-backup@contoso.com
name="Contoso Power Platform"
connector=connector/contoso-power-platform
policy=serviceaccountpolicy/keepit-service-account

findings() {
  kubectl get -n "$namespace" "$policy" \
    -o jsonpath='{range .status.findings[?(@.result=="Fail")]}  {.id} ({.stages[*]}): {.message}{"\n"}{end}'
}

chapter "What is declared: the service account's policy and the connector"
run kubectl apply -f examples/keepit-power-platform/
often

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
events 'AppEnrolled|RoleAssigned|SecurityRoleAssigned'
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
roles=$(roles_of_tenant 0)
holds() { [[ $roles == *"\"principal\":\"0d5b6a1c-2f3e-4a4d-8c5b-7e6f5a4b3c2d\",\"role\":\"$1\""* ]]; }
holds 11648597-926c-4cf3-9c36-bcebb0ba8dcc || give_up "the account does not hold Power Platform Administrator"
! holds 62e90394-69f5-4237-9190-012177145e10 || give_up "the account still holds Global Administrator"
say
say "${bold}Ready=True: the connector is authorized, backed up, and its account holds exactly what it needs.$plain"

look+="
  kubectl describe bconn -n $namespace contoso-power-platform
  world do remove-directory-role user=$account role=\"Power Platform Administrator\" && kubectl get sapol -n $namespace -w
      (break something: within 10 s the policy says so, and puts it back)"
