# The story of a new sign-in: asked for, begun by a person, and what the account gets for it is gone afterwards. Sourced by demo.sh.
# shellcheck shell=bash

namespace=backup
account=svc-backup@contoso.com
name="Contoso Power Platform"
connector=connector/contoso-power-platform
policy=serviceaccountpolicy/keepit-service-account

holds_global_administrator() {
  [[ $(roles_of_tenant 0) == *'"principal":"0d5b6a1c-2f3e-4a4d-8c5b-7e6f5a4b3c2d","role":"62e90394-69f5-4237-9190-012177145e10"'* ]]
}
until_window() {
  kubectl wait -n "$namespace" "$policy" --timeout=90s >/dev/null --for=jsonpath='{.status.elevation.state}'="$1" ||
    give_up "the window did not become $1"
}
window() {
  run kubectl get sapol -n "$namespace" keepit-service-account \
    -o custom-columns='ACCOUNT:.status.account.name,WINDOW:.status.elevation.state,ROLE:.status.elevation.role,METHOD:.status.elevation.method,UNTIL:.status.elevation.expirationTime'
}

chapter "A connector that works, on an account that no longer holds Global Administrator"
say "${dim}(the tenant has Entra ID P2; here a role may be ended at once, in a real one after five minutes)$plain"
world do set-premium p2=true tenant=Contoso >/dev/null
world do set-switch name=pim_shortest_seconds value=1 >/dev/null
run kubectl apply -f examples/reauthentication/
often
if ! kubectl wait -n "$namespace" "$connector" --for=condition=Ready --timeout=5s >/dev/null 2>&1; then
  say "A person signs in for the first time, as in the main story."
  until_reason "$connector" AwaitingPerson
  run world do add-environment-user environment="Contoso Test" user="$account"
  until_reason "$policy" Satisfied
  run world do sign-in-for-connector account=Contoso name="$name" type=dynamics365 user="$account"
  until_reason "$connector" NoBackup
  run world do finish-backup connector="$name"
fi
kubectl wait -n "$namespace" "$connector" --for=condition=Ready --timeout=60s >/dev/null || give_up "the connector is not Ready"
until_reason "$policy" Satisfied
run kubectl get bconn -n "$namespace" contoso-power-platform
! holds_global_administrator || give_up "the account still holds Global Administrator"

chapter "The authorization dies: a person is asked for, and nothing is given yet"
run world do break-authorization connector="$name"
until_reason "$connector" AwaitingPerson
kubectl wait -n "$namespace" "$connector" --for=condition=PolicySatisfied --timeout=60s >/dev/null || give_up "the policy does not answer"
run kubectl get bconn -n "$namespace" contoso-power-platform
hand_offs "$connector"
! holds_global_administrator || give_up "the account holds Global Administrator though nobody has begun"

chapter "Somebody sits down to it, and begins: the account is elevated, for an hour at most"
run kubectl backstay begin contoso-power-platform -n "$namespace"
window
holds_global_administrator || give_up "the account does not hold Global Administrator"

chapter "The person (played here) signs in again at Keepit, where only a Global Administrator can"
run world do reauthenticate connector="$name" user="$account"
run world do finish-backup connector="$name"
kubectl wait -n "$namespace" "$connector" --for=condition=Ready --timeout=60s >/dev/null || give_up "the connector is not Ready"
say "It is noticed that it works again, and what was given is taken back at once:"
until_window Closed
until_reason "$policy" Satisfied
window
run kubectl get bconn -n "$namespace" contoso-power-platform
say
say "What happened, as Events:"
events 'ReauthenticationBegun|WindowOpened|WindowClosing|WindowClosed|Reauthenticated'
# Not the operator's word for it: the tenant's own.
! holds_global_administrator || give_up "the account still holds Global Administrator"
say
say "${bold}Ready=True again, and the tenant itself says that Global Administrator is gone.$plain"

look+="
  kubectl backstay reauthenticate contoso-power-platform -n $namespace && kubectl backstay begin contoso-power-platform -n $namespace
      (ask for a new sign-in though nothing is wrong; 'kubectl backstay done' ends it)"
