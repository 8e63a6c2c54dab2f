# The third story: three vendors side by side, and what can be known of each. Sourced by demo.sh.
# shellcheck shell=bash

namespace=backup
account=svc-backup@contoso.com

chapter "Three vendors: Keepit shows connectors and backups, AvePoint only its jobs, FluentPro nothing to a program"
run kubectl apply -f examples/keepit-power-platform/ -f examples/avepoint-dynamics-365/ -f examples/fluentpro-dataverse/
say "${dim}(checked every 10 s here, so that you need not wait)$plain"
for object in connector/contoso-power-platform connector/tailspin-dynamics connector/contoso-sales \
  serviceaccountpolicy/keepit-service-account serviceaccountpolicy/avepoint-account serviceaccountpolicy/fluentpro-account; do
  kubectl patch -n "$namespace" "$object" --type=merge -p '{"spec":{"interval":"10s"}}' >/dev/null
done
until_reason connector/contoso-sales AwaitingPerson
until_reason connector/tailspin-dynamics Current
both
say
say "FluentPro's hand-offs: what only a person can do, and what they attest afterwards."
hand_offs connector/contoso-sales

chapter "People (played here) do their part"
if ! kubectl wait -n "$namespace" connector/contoso-power-platform --for=condition=Ready --timeout=1s >/dev/null 2>&1; then
  say "Keepit: sign in as the account, and wait for the first backup."
  until_reason connector/contoso-power-platform AwaitingPerson
  run world do add-environment-user environment="Contoso Test" user="$account"
  until_reason serviceaccountpolicy/keepit-service-account Satisfied
  run world do sign-in-for-connector account=Contoso name="Contoso Power Platform" type=dynamics365 user="$account"
  until_reason connector/contoso-power-platform NoBackup
  run world do finish-backup connector="Contoso Power Platform"
fi
say "Entra: the operator's app gets what 'backstay permissions' lists for FluentPro's policy and for no other here: it reads consents."
for permission in Application.Read.All Directory.Read.All; do
  run world do grant-permission app=c0ffee00-1111-4222-8333-444455556666 permission=$permission now=true tenant=Contoso
done
say "FluentPro: consent, add the environment there, and say so here."
run world do consent app=c0ffee00-aaaa-4222-8333-0000000000f1 name="FluentPro Backup" resource="Microsoft Graph" scope="User.Read offline_access" tenant=Contoso
run world do consent app="FluentPro Backup" resource=Dataverse scope=user_impersonation tenant=Contoso
run kubectl patch -n "$namespace" connector/contoso-sales --type=merge \
  -p '{"spec":{"vendor":{"fluentPro":{"attestations":[{"handOff":"add-environment","time":"'"$(date -u +%FT%TZ)"'","by":"jane@contoso.com"}]}}}}'

chapter "The same command for all three, and an honest word for each"
until_reason connector/contoso-power-platform Current
until_reason connector/tailspin-dynamics Current
until_reason connector/contoso-sales Attested
run kubectl get bconn -n "$namespace"
say
say "What is not known is not fine: FluentPro shows its backups to no program."
run kubectl get bconn -n "$namespace" -o custom-columns='NAME:.metadata.name,AUTHORIZED:.status.conditions[?(@.type=="Authorized")].reason,BACKUP-CURRENT:.status.conditions[?(@.type=="BackupCurrent")].status,WHY:.status.conditions[?(@.type=="BackupCurrent")].reason'
current=$(kubectl get -n "$namespace" connector/contoso-sales -o jsonpath='{.status.conditions[?(@.type=="BackupCurrent")].status}')
[ "$current" = Unknown ] || give_up "a backup that nobody can see is said to be $current"
say
say "${bold}Ready=True three times: seen at Keepit and AvePoint, attested for FluentPro by a person, until a day that is shown.$plain"

look+="
  kubectl get bconn -n $namespace contoso-sales -o yaml
      (whose word it is, until when it counts, and what stays Unknown)"
