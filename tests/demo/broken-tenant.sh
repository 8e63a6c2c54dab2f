# The second story: a tenant where much is wrong with the service account, and how it is put right. Sourced by demo.sh.
# shellcheck shell=bash

namespace=northwind
account=svc-backup@northwind.com
name="Northwind Power Platform"
connector=connector/northwind-power-platform
policy=serviceaccountpolicy/service-account
example=examples/broken-tenant

# Text of so many columns at most, the first line after one mark and the others after another.
wrapped() { printf '%s\n' "$3" | fold -s -w 90 | sed -e "1s/^/$1/" -e "2,\$s/^/$2/" -e 's/ *$//'; }

# What is found of these results: what it is, what was seen, and what mends it.
findings_of() {
  local result id message remedy
  kubectl get -n "$namespace" "$policy" \
    -o jsonpath='{range .status.findings[*]}{.result}{"\t"}{.id}{"\t"}{.message}{"\t"}{.remedy}{"\n"}{end}' |
    grep -E "^($1)"$'\t' |
    while IFS=$'\t' read -r result id message remedy; do
      printf '  %s%-7s%s %s\n' "$bold" "$result" "$plain" "$id"
      wrapped '          ' '          ' "$message"
      [ -z "$remedy" ] || wrapped '        > ' '          ' "$remedy"
    done
}

chapter "Another tenant: a backup that has run for a year, on an account that nobody has looked after"
say "Last night's backup, as always (played): a part, since the account does not see everything."
run world do finish-backup connector="$name" result=partial hours_ago=2
say
say "What is declared. Nothing is allowed at first: the operator only looks."
run kubectl apply -f $example/0-namespace.yaml -f $example/1-secrets.yaml -f $example/3-connector.yaml
say "$dim\$ grep -v allowedActions $example/2-policy.yaml | kubectl apply -f -$plain"
grep -v allowedActions "$root/$example/2-policy.yaml" | kubectl apply -f -
often
until_failing 9
until_reason "$policy" AwaitingPerson
both

chapter "What is wrong, and what mends it"
findings_of 'Fail|Unknown|Warn'

chapter "The operator is allowed to mend what it can: the spec says so, and the installation has granted it"
grep -A1 '^  # Everything' "$root/$example/2-policy.yaml"
run kubectl apply -f $example/2-policy.yaml
kubectl patch -n "$namespace" "$policy" --type=merge -p '{"spec":{"interval":"10s"}}' >/dev/null
until_failing 7
until_reason "$policy" AwaitingPerson
say
say "What it has mended by itself:"
events 'AppEnrolled|AccountAdded|RoleAssigned|SecurityRoleAssigned|AccessModeSet'
both
say
say "What is left for people, and who they are:"
hand_offs "$policy"

chapter "People (played here) do what the hand-offs and findings say"
say "The License Administrator switches the plan on that counts:"
run world do change-license user=$account sku=DYN365_ENTERPRISE_SALES plan_on=DYN365_ENTERPRISE_SALES
say "The Power Platform Administrator lets the account into Finance again:"
run world do enable-environment-user environment="Northwind Finance" user=$account
say "A Privileged Role Administrator takes it out of the group, so that its role is its own:"
run world do remove-from-group user=$account group="Dynamics Crew"
say "The Authentication Policy Administrator switches MFA off for it:"
run world do set-user-mfa user=$account mfa=disabled
say "And an administrator consents to the archive's app for everybody:"
run world do consent app="Northwind Archive" scope=User.Read tenant=Northwind
until_failing 1
say
say "The operator assigned the role that the group had given, and with all else in place took Global Administrator away:"
events 'RoleAssigned|RoleRemoved'
say
say "What stays:"
findings_of Fail

chapter "Somebody answers for what stays, with a reason"
grep -v ' *#' "$root/$example/later/waiver.yaml"
run kubectl patch -n $namespace $policy --type=merge --patch-file $example/later/waiver.yaml
until_reason "$policy" Satisfied
findings_of Waived

chapter "The next backup (played, too) finishes, and is a whole one"
run world do finish-backup connector="$name"
kubectl wait -n "$namespace" "$connector" --for=condition=Ready --timeout=60s >/dev/null || give_up "the connector is not Ready"
until_reason "$policy" Satisfied
both

# Not the operator's word for it: the tenant's own.
roles=$(roles_of_tenant 1)
owns() { [[ $roles == *"\"principal\":\"0a4d1f00-0000-4000-8000-000000000001\",\"role\":\"$1\""* ]]; }
owns 44367163-eba1-44c3-98af-f5787879f96a || give_up "the account does not hold Dynamics 365 Administrator itself"
owns 11648597-926c-4cf3-9c36-bcebb0ba8dcc || give_up "the account does not hold Power Platform Administrator"
! owns 62e90394-69f5-4237-9190-012177145e10 || give_up "the account still holds Global Administrator"
say
say "${bold}Ready=True: nine findings failed; the operator mended what it may, people the rest, and one is answered for.$plain"

look+="
  kubectl get sapol -n $namespace service-account -o yaml
  world do set-user-mfa user=$account mfa=enforced && kubectl get sapol -n $namespace -w
      (what a person breaks shows within 10 s, with what mends it)"
