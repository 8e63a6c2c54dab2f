# What the stories of the demo use: how something is said, waited for and shown. Sourced by demo.sh.
# shellcheck shell=bash

if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold='' dim='' plain=''; fi
chapter() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
say() { printf '%s\n' "$*"; }
run() {
  local word words=()
  for word in "$@"; do case $word in *' '*) words+=("${word%%=*}=\"${word#*=}\"") ;; *) words+=("$word") ;; esac; done
  printf '%s$ %s%s\n' "$dim" "${words[*]}" "$plain"
  "$@"
}

pids=()
clean_up() {
  trap - EXIT INT TERM
  # Last started, first ended: the operator before what it talks to.
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
    kill "${pids[i]}" 2>/dev/null || true
    wait "${pids[i]}" 2>/dev/null || true
  done
}

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

# Waits until so many findings of the policy fail.
until_failing() {
  kubectl wait -n "$namespace" "$policy" --timeout=60s >/dev/null --for=jsonpath='{.status.failing}'="$1" ||
    give_up "$policy did not come to $1 failing findings"
}

# So that nobody has to wait.
often() {
  say "${dim}(checked every 10 s here, so that you need not wait)$plain"
  kubectl patch -n "$namespace" "$policy" --type=merge -p '{"spec":{"interval":"10s"}}' >/dev/null
  kubectl patch -n "$namespace" "$connector" --type=merge -p '{"spec":{"interval":"10s"}}' >/dev/null
}

both() {
  run kubectl get sapol -n "$namespace"
  run kubectl get bconn -n "$namespace"
}

hand_offs() {
  kubectl get -n "$namespace" "$1" \
    -o jsonpath='{range .status.handOffs[*]}  {.title}{"\n"}  who: {.who}{"\n"}{range .steps[*]}    - {@}{"\n"}{end}{"  done when: "}{.doneWhen}{"\n"}{end}'
}

# What happened, as Events; of these kinds, if some are named.
events() {
  local reason kind message
  while IFS=$'\t' read -r reason kind message; do
    [[ $reason =~ ^(${1:-.*})$ ]] || continue
    say "  $reason ($kind)"
    fold -s -w 74 <<<"$message" | sed 's/^/      /; s/ *$//'
  done < <(kubectl get events -n "$namespace" --sort-by=.eventTime \
    -o jsonpath='{range .items[*]}{.reason}{"\t"}{.involvedObject.kind}{"\t"}{.message}{"\n"}{end}')
}

# Who holds which directory roles, by the tenant's own word: not the operator's.
roles_of_tenant() { world state "/tenants/$1/role_assignments" | tr -d ' \n' || give_up "the tenant can't be asked"; }
