#!/bin/sh
# Makes, in each of these environments, the security role "@ROLE@", which reads users, security roles and teams, and the
# operator's app a user with this role. What is there already stays; doing it again does nothing.
#
# Needs curl, and a sign-in as System Administrator of the environments: az login --allow-no-subscriptions (Azure CLI), or, for
# one environment, a token for it in DATAVERSE_TOKEN.

ROLE='@ROLE@'
CLIENT_ID='@CLIENT_ID@'
PRIVILEGES='@PRIVILEGES@'
ENVIRONMENTS='@ENVIRONMENTS@'

# token: for $environment
token() {
  if [ -n "${DATAVERSE_TOKEN:-}" ]; then
    printf '%s' "$DATAVERSE_TOKEN"
  else
    az account get-access-token --resource "$environment" --query accessToken --output tsv </dev/null
  fi | tr -d '\r\n'
}

# call METHOD PATH [BODY]: the answer; anything but success is told and fails. The token is kept out of the list of processes.
call() {
  method=$1 path=$2 body=${3:-}
  set -- --silent --show-error --globoff --request "$method" --write-out ' %{http_code}' \
    --header 'Accept: application/json' --header 'OData-Version: 4.0' --header 'OData-MaxVersion: 4.0'
  if [ -n "$body" ]; then
    set -- "$@" --header 'Content-Type: application/json' --data "$body"
  else
    set -- "$@" --header 'If-None-Match: null' --header 'Consistency: Strong'
  fi
  answer=$(printf 'header = "Authorization: Bearer %s"\n' "$token" |
    curl --config - "$@" "$environment/api/data/v9.2/$path") || return 1
  case ${answer##* } in
    2??) printf '%s' "${answer% *}" ;;
    *) echo "$environment: $method $path was answered with ${answer##* }: ${answer% *}" >&2; return 1 ;;
  esac
}

# values NAME: all values of this name in the JSON on standard input, one a line
values() {
  tr ',{}' '\n\n\n' | sed -n "s/^ *\"$1\" *: *\"\{0,1\}\([0-9A-Za-z_-]*\)\"\{0,1\} *\]*\$/\1/p"
}

# find NAME PATH: the first value of this name in the answer; nothing: there is none
find() {
  found=$(call GET "$2") || return 1
  printf '%s' "$found" | values "$1" | head -n 1
}

# make: in $environment
make() {
  token=$(token) || return 1
  [ -n "$token" ] || { echo "$environment: no token" >&2; return 1; }
  unit=$(find businessunitid 'businessunits?$filter=_parentbusinessunitid_value%20eq%20null&$select=businessunitid') &&
    [ -n "$unit" ] || return 1

  name=$(printf '%s' "$ROLE" | sed 's/ /%20/g')
  by_name="roles?\$filter=name%20eq%20'$name'%20and%20_businessunitid_value%20eq%20$unit&\$select=roleid"
  role=$(find roleid "$by_name") || return 1
  if [ -z "$role" ]; then
    call POST roles "{\"name\":\"$ROLE\",\"businessunitid@odata.bind\":\"/businessunits($unit)\"}" || return 1
    role=$(find roleid "$by_name") && [ -n "$role" ] || return 1
  fi
  held=$(call GET "RetrieveRolePrivilegesRole(RoleId=$role)") || return 1
  missing=
  for privilege in $PRIVILEGES; do
    printf '%s' "$held" | tr '}' '\n' | grep "\"PrivilegeName\" *: *\"$privilege\"" | grep -q '"Depth" *: *"Global"' &&
      continue
    id=$(find privilegeid "privileges?\$filter=name%20eq%20'$privilege'&\$select=privilegeid") && [ -n "$id" ] || return 1
    missing="$missing${missing:+,}{\"PrivilegeId\":\"$id\",\"Depth\":\"Global\"}"
  done
  [ -z "$missing" ] ||
    call POST "roles($role)/Microsoft.Dynamics.CRM.AddPrivilegesRole" "{\"Privileges\":[$missing]}" || return 1

  by_app="systemusers?\$filter=applicationid%20eq%20$CLIENT_ID&\$select=systemuserid,deletedstate,_businessunitid_value"
  user=$(find systemuserid "$by_app") || return 1
  if [ -z "$user" ]; then
    call POST systemusers "{\"applicationid\":\"$CLIENT_ID\",\"businessunitid@odata.bind\":\"/businessunits($unit)\"}" || return 1
    user=$(find systemuserid "$by_app") && [ -n "$user" ] || return 1
  fi
  if [ "$(find deletedstate "$by_app")" = 1 ]; then
    echo "$environment: the app's user was deleted and is not gone: restore it in the Power Platform admin center first" >&2
    return 1
  fi
  # A user holds the copy of a role that belongs to the user's own business unit.
  own=$(find _businessunitid_value "$by_app") || return 1
  copy=$(find roleid "roles?\$filter=_parentrootroleid_value%20eq%20$role%20and%20_businessunitid_value%20eq%20$own&\$select=roleid") || return 1
  copy=${copy:-$role}
  roles=$(call GET "systemusers($user)/systemuserroles_association?\$select=roleid") || return 1
  printf '%s' "$roles" | values roleid | grep -qx "$copy" ||
    call POST "systemusers($user)/systemuserroles_association/\$ref" \
      "{\"@odata.id\":\"$environment/api/data/v9.2/roles($copy)\"}" || return 1

  echo "$environment: the app is a user with the role $ROLE"
  more=$(printf '%s' "$held" | values PrivilegeName | grep -v '^prvRead' | tr '\n' ' ')
  [ -z "$more" ] ||
    echo "$environment: the role can do more than read; Dataverse gives new roles some of this: $more"
}

failed=0
for environment in $ENVIRONMENTS; do
  make || failed=1
done
exit $failed
