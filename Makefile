# The one door: `make` lists the goals.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

PREFIX ?= /usr/local
QPROF = .build/release/qprof
AGENTS = .build/release/libqprof-sampler.so .build/release/libqprof-heap.so
RELEASE = swift build -c release --static-swift-stdlib
WORKLOADS = $(CURDIR)/.build/workloads

# Every Debian package this repository needs, to build and to run its tests. node and rustc are
# often installed without dpkg, so their packages count only when the command is missing.
BUILD_PACKAGES = binutils libdw-dev libelf-dev libiberty-dev libsqlite3-dev libunwind-dev zlib1g-dev
TEST_PACKAGES = $(BUILD_PACKAGES) chromium clang-format g++ gcc git golang-go heaptrack libc6-dbg \
  linux-perf openssl perl python3 sqlite3 strace xz-utils zstd \
  $(call unless_found,node,nodejs) $(call unless_found,rustc,rustc)

unless_found = $(if $(shell PATH=$$PATH:$(HOME)/.cargo/bin command -v $(1)),,$(2))
root = $(if $(filter 0,$(shell id -u)),,sudo) env DEBIAN_FRONTEND=noninteractive

# Installs those of the packages $(1) that are missing; quick and silent when none is.
define install_packages
@missing=$$(comm -23 <(printf '%s\n' $(1) | sort -u) <(dpkg-query -W \
    -f '$${db:Status-Status} $${Package}\n' $(1) 2>/dev/null | sed -n 's/^installed //p' | sort)); \
if [ -n "$$missing" ]; then \
  echo "installing" $$missing; \
  $(root) apt-get update -qq; \
  $(root) apt-get install -qq --no-install-recommends $$missing; \
fi
endef

# Fixtures stay as they were when something was recorded from them.
source_files = git ls-files -z -co --exclude-standard -- $(1) ':!*/Fixtures/*'

.PHONY: help demo test check bench install clean
.PHONY: build-packages test-packages release workloads reference-suite

help: ## list the goals
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 16

demo: build-packages release reference-suite ## record ml_dsa, show its top functions, draw crypto_flame.svg
	$(QPROF) record --bench ml_dsa
	$(QPROF) flame -o crypto_flame.svg
	$(QPROF) report

test: test-packages workloads ## build everything and run all tests
	swift test

check: test-packages ## formatting of Swift and C, and a build in which warnings are errors
	$(call source_files,'*.swift' ':!*.pb.swift') | xargs -0 swift format lint -s -p
	$(call source_files,'*.c' '*.h' '*.cc') | xargs -0 clang-format --dry-run -Werror
	swift build --build-tests

bench: test-packages release workloads reference-suite ## measure against other tools; writes docs/performance.md
	Benchmarks/run

install: build-packages release ## install into PREFIX (default /usr/local), below DESTDIR
	install -D -s -m 755 $(QPROF) $(DESTDIR)$(PREFIX)/bin/qprof
	install -d $(DESTDIR)$(PREFIX)/lib/qprof
	install -s -m 644 $(AGENTS) $(DESTDIR)$(PREFIX)/lib/qprof

clean: ## remove all that was built
	rm -rf .build Examples/reference-suite/.build

# `check` and `test` share one debug build, so both set what changes its flags (see Package.swift).
check test: export QPROF_WARNINGS_AS_ERRORS = 1

build-packages:
	$(call install_packages,$(BUILD_PACKAGES))

test-packages:
	$(call install_packages,$(TEST_PACKAGES))

# Tests are no part of a release build, so the products are built by name.
release: | build-packages
	$(RELEASE) --product qprof
	$(RELEASE) --product qprof-sampler
	$(RELEASE) --product qprof-heap

reference-suite: | build-packages
	swift build -c release --package-path Examples/reference-suite

workloads: | test-packages
	+$(MAKE) -s -C Tests/Workloads OUT=$(WORKLOADS) all rust go swift
