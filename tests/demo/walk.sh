# The walk of README.md, typed as it stands there: the chart, a red policy, its repair, the same in Git. Sourced by demo.sh, after
# the main story; `make walk` plays both. Not among the stories that play by default: who reads the README walks by hand.
# shellcheck shell=bash

# Each block of commands of the section, with the sentence above it, in a shell of its own in the folder of the project.
walk() {
  local line step='' block='' inside=''
  while IFS= read -r line; do
    case $inside$line in
      '**'[0-9]*) step=${line#\*\*}; step=${step%%.\*\**} ;;
      '```console') inside=1 block='' ;;
      '1```') inside=''; walked "$step" "$block" ;;
      1*) block+=$line$'\n' ;;
    esac
  done < <(sed -n '/^## A walk through it/,/^## The two kinds/p' "$root/README.md")
}

walked() {
  chapter "$1"
  local from=$EPOCHREALTIME
  (cd "$root" && PATH="$root/target/tools:$PATH" bash -exc "$2") {lock}<&- || give_up "a command of the walk in README.md failed"
  printf '%stook %.1f s%s\n' "$dim" "$(bc -l <<<"$EPOCHREALTIME - $from")" "$plain"
  steps=$((steps + 1))
}

steps=0
walk
# It can be walked again.
walk
[ "$steps" = 8 ] || give_up "the walk of README.md has not four blocks of commands, but $((steps / 2))"
! kubectl get sapol,bconn -n "$namespace" -o jsonpath='{.items[*].status.conditions[?(@.type=="Ready")].status}' | grep -q False ||
  give_up "not everything is Ready after the walk"
[ "$(git -C "$dir/git" rev-list --count HEAD)" = 1 ] || give_up "backstay check did not stop the commit with a mistake"
