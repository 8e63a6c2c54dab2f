#!/usr/bin/env bash
# Are the alerts right, does each have a runbook, and does the operator have what they ask for?
set -euo pipefail
cd "$(dirname "$0")"
rules=../../charts/backstay/files/alerts.yaml
promtool check rules "$rules"
promtool test rules alerts_test.yaml
alerts=$(sed -n 's/^ *- alert: //p' "$rules" | sort)
runbooks=$(cd ../../docs/runbooks && ls | sed 's/\.md$//' | sort)
diff <(echo "$alerts") <(echo "$runbooks") || { echo "docs/runbooks has not one page for each alert" >&2; exit 1; }
for alert in $alerts; do
  grep -q "alertname: $alert$" alerts_test.yaml || { echo "alerts_test.yaml never sees $alert fire" >&2; exit 1; }
done
for metric in $(grep -o 'backstay_[a-z_]*' "$rules" | sort -u); do
  grep -q "^| \`$metric\`" ../../docs/metrics.md || { echo "$metric is no metric of the operator (docs/metrics.md)" >&2; exit 1; }
done
