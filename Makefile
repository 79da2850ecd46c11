# SPDX-License-Identifier: Apache-2.0

# Needs Go, make, git, bash, coreutils, diffutils, grep and sed. Everything else is built from Go modules on first
# use and kept in the user's cache.

SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

# Each module is built by its own go.mod, whatever workspace the user has around the clone.
export GOWORK := off

BIN        ?= bin
IMAGE      ?= flunder-controller:latest
IMAGE_ARCH ?= $(shell go env GOARCH)
VERSION    ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
REVISION   ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
# The first run builds a control plane.
TEST_TIMEOUT ?= 45m

# Every module of the repository, as folders; the tools' modules hold no Go code of ours.
MODULES := $(patsubst %/,%,$(dir $(wildcard go.mod */go.mod */*/go.mod)))
CODE    := $(filter-out tools/%,$(MODULES))

.PHONY: help
help: ## Show this.
	@grep -E '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sort | while IFS=: read -r target text; do \
		printf '  %-18s %s\n' "$$target" "$${text#*## }"; done
	@echo
	@echo 'make run CLUSTER=kubeconfig             on a cluster of yours that has the CRD and permissions'
	@echo 'make run CLUSTER=kubeconfig INSTALL=1   ... which gets them first'
	@echo 'make run REPLICAS=3                     with replicas that share the work, one of which is killed'

# exec, and a binary instead of `go run`: Ctrl-C reaches the demonstration itself, once, and
# its exit status is what make sees.
.PHONY: run
run: ## See Flunders reconciled on a control plane of its own, until Ctrl-C.
	@mkdir -p $(BIN)
	@go build -C test/e2e -o $(abspath $(BIN))/demo ./demo
	@exec $(BIN)/demo $(if $(CLUSTER),-cluster '$(CLUSTER)') $(if $(INSTALL),-install) $(if $(REPLICAS),-replicas '$(REPLICAS)')

.PHONY: test
test: verify-generated verify-modules verify-house verify-api verify-spdx verify-docs vet lint ctxvet ## Check everything, then run all tests with the race detector.
	go test -race ./...
	@# What the hot path may allocate; the race detector allocates too.
	go test -run Allocations ./controller/...
	go test -C test/controlplane -race -timeout $(TEST_TIMEOUT) ./...
	go test -C test/bench -race -timeout $(TEST_TIMEOUT) ./...
	go test -C test/dashboard -race ./...
	@# Needs chromium.
	go test -C test/page -race ./...
	go test -C telemetry -race ./...
	go test -C sample-controller -race ./...
	go test -C tools -race -timeout $(TEST_TIMEOUT) ./...
	go test -C cmd/lanyard -race ./...
	go test -C examples -race -timeout $(TEST_TIMEOUT) ./...
	go test -C test -race ./...
	@# Not cached: some of these tests build the sample and the image, which go test does not see.
	@# Alone: its processes have Leases of three seconds, which they lose when other suites take the machine.
	go test -C test/e2e -race -count=1 -timeout $(TEST_TIMEOUT) ./leadership
	go test -C test/e2e -race -count=1 -timeout $(TEST_TIMEOUT) $$(go list -C test/e2e ./... | grep -v '/test/e2e/leadership$$')

.PHONY: generate
generate: ## Generate the code and the CRD from api/.
	tools/generate/generate.sh

.PHONY: verify-generated
verify-generated: ## Fail if what `make generate` makes is not what is there.
	tools/generate/generate.sh --check

.PHONY: verify-modules
verify-modules: ## Fail if a go.mod or go.sum is not tidy.
	@for module in $(MODULES); do \
		go -C "$$module" mod tidy -diff || { echo "$$module is not tidy: run 'go mod tidy' there" >&2; exit 1; }; done

.PHONY: house
house: ## Measure the framework: files, functions, widths, and what files know of each other.
	@go build -C tools -o $(abspath $(BIN))/house ./cmd/house
	@$(BIN)/house table ./controller/...
	@$(BIN)/house graph ./controller/... ./internal/...
	@$(BIN)/house graph -C telemetry
	@$(BIN)/house graph -C sample-controller
	@$(BIN)/house ways docs/architecture.md

.PHONY: verify-house
verify-house: ## Fail if the framework breaks tools/house/lanyard.rules, or docs/architecture.md names what is gone.
	@go build -C tools -o $(abspath $(BIN))/house ./cmd/house
	@$(BIN)/house check -rules tools/house/lanyard.rules ./controller/...
	@$(BIN)/house check ./internal/...
	@$(BIN)/house check -C telemetry
	@$(BIN)/house check -C sample-controller
	@$(BIN)/house ways docs/architecture.md >/dev/null

# The public packages: what users import. BASE=REF: a state other than the newest release.
API := tools/api/controller.txt

.PHONY: api
api: ## List the exported surface of the public packages in tools/api/.
	@go -C tools run ./cmd/apilist -dir .. -file ../$(API) ./controller/...

.PHONY: verify-api
verify-api: ## Fail if the exported surface is not the listed one, or breaks the newest release.
	@failed=0; \
	go -C tools run ./cmd/apilist -dir .. -file ../$(API) -check ./controller/... || failed=1; \
	tools/apidiff.sh || failed=1; \
	exit $$failed

.PHONY: apidiff
apidiff: ## Compare the public packages with BASE, by default the newest release.
	@tools/apidiff.sh $(BASE)

.PHONY: spdx
spdx: ## Put the licence line on each file written by hand.
	@tools/spdx.sh

.PHONY: verify-spdx
verify-spdx: ## Fail if a file written by hand has no licence line.
	@tools/spdx.sh --check

.PHONY: release
release: ## Try a release, VERSION=v0.2.0: its modules as users get them. Changes nothing.
	@tools/release.sh '$(if $(filter command line,$(origin VERSION)),$(VERSION))'

# Not cached: go test does not see that a file outside of the module of the test has changed.
.PHONY: verify-docs
verify-docs: ## Fail if code, a command or a link in a Markdown page is not right.
	@go test -C tools -count=1 ./internal/docs

# It needs the vulnerability database, so it is no part of `make test`. VULNDB=URL: a copy of it.
.PHONY: vulncheck
vulncheck: ## Look for known vulnerabilities in every module; needs the network.
	@tools/vulncheck.sh $(MODULES)

.PHONY: vet
vet: ## Run go vet in every module.
	@for module in $(CODE); do go vet -C "$$module" ./... || exit 1; done

.PHONY: lint
lint: ## Run golangci-lint in every module; the first time it is built, which takes minutes.
	@tools/lint/lint.sh $(CODE)

.PHONY: ctxvet
ctxvet: ## Run our own analyzers in every module: contexts dropped, stored or ignored.
	@tools/vet.sh $(CODE)

# QUICK=1: under five minutes. PLOTS=1: redraw docs/performance/. ONLY=W1,W2: these workloads.
# PROGRAMS=bare,lanyard,page: these programs.
.PHONY: bench
bench: ## Compare with controller-runtime and bare client-go; hours, or minutes with QUICK=1.
	@mkdir -p $(BIN)
	@go build -C test/bench -o $(abspath $(BIN))/bench .
	@cd test/bench && exec $(abspath $(BIN))/bench -results $(abspath $(BIN))/bench.jsonl $(if $(QUICK),-quick) \
		$(if $(ROUNDS),-rounds $(ROUNDS)) $(if $(ONLY),-only $(ONLY)) $(if $(PROGRAMS),-programs $(PROGRAMS)) $(if $(PLOTS),-plots $(abspath docs/performance))

# SEED=1: the same sample again. PACKAGES=./controller/internal/queue: of these.
.PHONY: mutants
mutants: ## Change lines of the framework, 150 or N=, and tell which changes no test notices; hours.
	@mkdir -p $(BIN)
	@go build -C tools -o $(abspath $(BIN))/mutants ./cmd/mutants
	@$(BIN)/mutants -n $(or $(N),150) $(if $(SEED),-seed $(SEED)) $(or $(PACKAGES),./controller/...)

# TIME=10m: longer. What reaches new code is kept in testdata/fuzz, and tried by each `go test`.
.PHONY: fuzz
fuzz: ## Send made-up bytes to what reads bytes from outside, for a minute each.
	@tools/fuzz.sh $(or $(TIME),1m) $(CODE)

# DURATION=1h, SEED=1: longer, the same plan again.
.PHONY: soak
soak: ## Disturb three replicas of the sample for ten minutes, and look whether all comes to rest.
	@go test -C test/e2e -count=1 -v -timeout 0 ./soak -soak $(or $(DURATION),10m) $(if $(SEED),-soak-seed $(SEED))

# OBJECTS=20: fewer of them.
.PHONY: faults
faults: ## Count the faults of caches that lag: bare client-go, controller-runtime, Lanyard.
	@go test -C test/e2e -count=1 -v -timeout $(TEST_TIMEOUT) ./faults -objects $(or $(OBJECTS),200)

.PHONY: image-binary
image-binary: ## Build the static binary that the image holds.
	CGO_ENABLED=0 GOOS=linux GOARCH=$(IMAGE_ARCH) go build -C sample-controller -trimpath -ldflags '-s -w' \
		-o $(abspath $(BIN))/linux-$(IMAGE_ARCH)/flunder-controller .

.PHONY: image
image: image-binary ## Build the image with docker or, without it, buildah.
	@builder=(docker build); docker version >/dev/null 2>&1 || builder=(buildah build --isolation chroot); \
	set -x; "$${builder[@]}" --platform linux/$(IMAGE_ARCH) --tag $(IMAGE) \
		--build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION) .

.PHONY: clean
clean: ## Remove what was built here; the user's cache stays.
	rm -rf $(BIN)
