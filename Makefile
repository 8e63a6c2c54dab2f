# One command for each thing that is done here.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

CLUSTER := target/tools/cluster
HELM := target/tools/helm

.PHONY: help demo walk test faults sdk helm gitops alerts image sbom bench check generate tools tested deny advisories clean

help: ## List what can be done
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 20

demo: needs ## Play four stories in the terminal (ONCE=1: end by itself; STORY=three-vendors: that one only)
	@$(MAKE) --no-print-directory tools
	@echo "Building the operator and the world"
	@cargo build --locked --workspace --bins
	@ONCE="$(ONCE)" STORY="$(STORY)" tests/demo/demo.sh

walk: needs ## Play the walk of README.md after the main story, and say how long each step takes
	@$(MAKE) --no-print-directory tools $(HELM)
	@$(MAKE) --no-print-directory demo ONCE=1 STORY="main-story walk"

test: needs ## Test everything, from unit tests to a real API server
	@$(MAKE) --no-print-directory tools
	@tests/need.sh prometheus prometheus || true
	cargo test --locked --workspace
	cd tests/cluster && go test -trimpath ./...
	@$(MAKE) --no-print-directory gitops
	@$(MAKE) --no-print-directory alerts
	@$(MAKE) --no-print-directory image
	@$(MAKE) --no-print-directory helm
	@$(MAKE) --no-print-directory sdk

faults: needs ## Play every fault at the vendors and write docs/faults.md from what is seen
	@$(MAKE) --no-print-directory tools
	BACKSTAY_WRITE=1 cargo test --locked --test faults

sdk: needs ## Let Microsoft's own clients use the world (Python; only what 'test' does, too)
	@cargo build --locked --workspace --bins
	@tests/sdk/run.sh "$(abspath target/sdk)" "$(abspath target/debug/world)"

image: needs ## Build a static binary, and an image from scratch with it; run it as its users would (only what 'test' does, too)
	@command -v cargo-auditable >/dev/null || cargo install --locked cargo-auditable@$(AUDITABLE)
	RUSTFLAGS="-C target-feature=+crt-static" cargo auditable build --release --locked --bin backstay --target $(STATIC)
	@! tests/need.sh buildah buildah || tests/image/run.sh "$(abspath target/$(STATIC)/release/backstay)" "$(abspath target/image)"

sbom: ## Write the bill of materials of the operator to target/sbom/backstay.cdx.json (CycloneDX)
	@command -v cargo-cyclonedx >/dev/null || cargo install --locked cargo-cyclonedx@$(CYCLONEDX)
	@mkdir -p target/sbom
	cargo cyclonedx --format json --spec-version 1.5 --override-filename backstay.cdx --manifest-path Cargo.toml --no-build-deps --quiet
	@mv backstay.cdx.json target/sbom/ && rm -f tests/world/backstay.cdx.json && ls -l target/sbom/backstay.cdx.json

alerts: ## Check and test the alerts of the chart with promtool (only what 'test' does, too)
	@! tests/need.sh promtool prometheus || tests/alerts/run.sh

gitops: ## Let kstatus, Argo CD's Lua and Flux's expressions judge every status that the last tests have seen, and Argo CD's engine its waves (what 'test' does, too)
	cd tests/gitops && go test -trimpath -count=1 ./...
	cd tests/gitops/waves && go test -trimpath -count=1 ./...

helm: needs ## Install the chart as its users would: the real Helm, a real API server (only what 'test' does, too)
	@$(MAKE) --no-print-directory tools $(HELM)
	@cargo build --locked --bin backstay
	cd tests/helm && go test -trimpath -count=1 ./...

bench: needs ## Measure what only computes: parsing, judging, planning (figures, never a test)
	cargo bench --locked --bench judge

check: needs ## Format, lint, dependencies, generated files
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	@$(MAKE) --no-print-directory deny
	@$(MAKE) --no-print-directory generate
	@git diff --exit-code --stat -- $(GENERATED) || { echo "Not what the code generates: commit what 'make generate' made" >&2; exit 1; }

GENERATED := crds charts/backstay/files docs/profiles.md docs/metrics.md docs/api.md docs/events.md src/tenant/README.md

generate: ## Write what is generated from the code: crds/ and the chart's copy, pages of docs/, src/tenant/README.md
	@mkdir -p crds docs charts/backstay/files
	@cargo build --locked --quiet --bin backstay
	@set -e; write() { target/debug/backstay $$1 > "$$2.new"; mv "$$2.new" "$$2"; }; \
	write crd crds/backstay.yaml; write "docs profiles" docs/profiles.md; write "docs calls" src/tenant/README.md; write "docs metrics" docs/metrics.md; write "docs api" docs/api.md; write "docs events" docs/events.md
	@cp crds/backstay.yaml charts/backstay/files/crds.yaml

deny: ## Licenses, bans and sources of the dependencies
	@command -v cargo-deny >/dev/null || cargo install --locked cargo-deny@$(DENY)
	cargo deny --all-features check bans licenses sources

advisories: ## Known vulnerabilities of the dependencies (needs the advisory database)
	@command -v cargo-deny >/dev/null || cargo install --locked cargo-deny@$(DENY)
	cargo deny check advisories

tools: $(CLUSTER) ## Build the test cluster: kube-apiserver, etcd and kubectl in one program
	@:

$(CLUSTER): $(wildcard tests/cluster/*.go tests/cluster/*/*.go) tests/cluster/go.mod tests/cluster/ldflags
	@tests/cluster/build.sh "$(abspath $@)"

# -trimpath as for the cluster: what both are made of is compiled once.
$(HELM): tests/helm/go.mod tests/helm/go.sum
	@echo "Building Helm (the first time: 2 to 4 minutes on 2 cores)"
	@cd tests/helm && go build -trimpath -ldflags "-s -w" -o "$(abspath $@)" helm.sh/helm/v4/cmd/helm

clean: ## Remove what was built here
	rm -rf target .demo

.PHONY: needs
needs:
	@missing=; for tool in cargo go cc; do command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
	if [ -n "$$missing" ]; then echo "Missing:$$missing. Install Rust (https://rustup.rs), Go 1.26 or newer (https://go.dev/dl) and a C compiler first." >&2; exit 1; fi

# Rust names this machine's own kind so.
STATIC := $(shell uname -m)-unknown-linux-gnu
# The version of cargo-auditable that is installed where there is none; the Dockerfile has it, too.
AUDITABLE := 0.7.7
# The version of cargo-cyclonedx that is installed where there is none.
CYCLONEDX := 0.5.7
# The version of cargo-deny that is installed where there is none.
DENY := 0.20.2
