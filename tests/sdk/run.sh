#!/usr/bin/env bash
# Lets Microsoft's own clients use the world: run.sh FOLDER WORLD. FOLDER gets what they need; WORLD is the built program.
set -euo pipefail
folder=$1
export WORLD=$2
cd "$(dirname "$0")"

python=${PYTHON:-python3}
if ! "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
	echo "skipped: tests/sdk needs Python 3.10 or newer with venv, and there is none here" >&2
	# Where everything must be tested, nothing is skipped.
	[ "${CI:-}" != true ]
	exit
fi

# What Python compiles, and what pip builds, stays in the folder, too.
export PYTHONPYCACHEPREFIX="$folder/pycache"
# Made once for each set of requirements; after that nothing is asked of the network.
if ! cmp -s requirements.txt "$folder/installed.txt"; then
	echo "Installing Microsoft's clients for Python"
	rm -rf "$folder"
	mkdir -p "$folder"
	"$python" -m venv "$folder/venv"
	"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile --only-binary :all: \
		--require-hashes --requirement requirements.txt
	cp requirements.txt "$folder/installed.txt"
fi
exec "$folder/venv/bin/pytest" --quiet .
