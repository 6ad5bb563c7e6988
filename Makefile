# Everything a developer does with healthd. `make` alone lists it. Each command first installs what it needs (Debian 12
# or later, as root or with sudo) and is quick the second time.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
VENV := .venv/bin
# Debian's own Python, whatever another one is first in PATH: the tools need nothing but its standard library.
PYTHON := /usr/bin/python3
RELEASE ?= bookworm
RELEASES := bookworm trixie
PACKAGE = $$(ls dist/healthd_*.deb)
UNITS := healthd.service healthd.socket healthd-failed.service healthd-check@.service healthd-disk-cleanup.service \
	healthd-memory-cleanup.service healthd-network-restart.service healthd-dry-run@disk-cleanup.service \
	healthd-deliver.path healthd-deliver.service healthd-failed-alert.service
SCRIPTS := .ci/run tools/bootstrap tools/build-deb systemd/after-end systemd/worth-telling systemd/tell-failure \
	systemd/disk-cleanup systemd/memory-cleanup systemd/network-restart \
	$(wildcard debian/healthd.p* debian/tests/heals-*)

.PHONY: help
help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

.PHONY: run
run: deb ## boot a throwaway Debian with healthd, break a service in it, and watch it healed
	@tools/bootstrap host
	$(SUDO) $(PYTHON) -m tools.demo $(RELEASE) $(PACKAGE)

.PHONY: host
host: deb ## the same throwaway Debian with a root shell (RELEASE=trixie for the other one)
	@tools/bootstrap host
	$(SUDO) $(PYTHON) -m tools.throwaway shell $(RELEASE) --deb $(PACKAGE)

.PHONY: foreground
foreground: venv ## the daemon on this machine, from the tree
	@$(VENV)/python -m healthd --config etc/healthd.toml --foreground-log

.PHONY: deb
deb: ## build dist/healthd_*.deb
	@tools/bootstrap build
	tools/build-deb

.PHONY: test
test: fast system ## all tests: the fast tiers first, then the package on booted Debian 12 and 13

.PHONY: fast
fast: venv ## the tiers that need no booted host: unit, contract, integration
	@tools/bootstrap test browser
	$(VENV)/python -m pytest

.PHONY: system
system: venv deb ## the package on booted Debian 12 and 13, with real faults
	@tools/bootstrap host
	$(SUDO) HEALTHD_DEB=$(PACKAGE) $(VENV)/python -m pytest -p no:cacheprovider --timeout=900 --numprocesses=2 --dist=loadfile tests/system

.PHONY: coverage
coverage: venv ## the fast tiers with coverage of branches
	@tools/bootstrap test browser
	$(VENV)/python -m pytest --cov --cov-report=term --cov-fail-under=90
	$(VENV)/python -m coverage report --include='healthd/assess/*,healthd/decide/*' --fail-under=100

.PHONY: bench
bench: venv deb ## measure speed and size beside the peers
	@tools/bootstrap host
	$(SUDO) HEALTHD_DEB=$(PACKAGE) $(VENV)/python -m bench

.PHONY: bench-accuracy
bench-accuracy: venv deb ## measure how often healthd is right, by hundreds of scenes; writes docs/accuracy.md
	@tools/bootstrap host
	$(SUDO) HEALTHD_DEB=$(PACKAGE) $(VENV)/python -m bench.accuracy --page docs/accuracy.md

.PHONY: check
check: check-code check-shell check-words check-manual check-package check-units ## everything that can be said without running it

.PHONY: check-code
check-code: venv
	$(VENV)/ruff format --check
	$(VENV)/ruff check
	$(VENV)/mypy healthd tests tools $(wildcard bench)

.PHONY: check-shell
check-shell:
	@tools/bootstrap check
	shellcheck $(SCRIPTS)
	shellcheck --shell=bash completion/healthctl

.PHONY: check-words
check-words: venv
	git -c safe.directory='*' ls-files -z | xargs -0 $(VENV)/codespell

.PHONY: check-manual
check-manual:
	@tools/bootstrap check
	@for page in man/*; do
		echo "man --warnings $$page"
		warnings=$$(MANWIDTH=100 LC_ALL=C.UTF-8 man --warnings --encoding=UTF-8 --local-file "$$page" 2>&1 >/dev/null)
		[ -z "$$warnings" ] || { echo "$$warnings"; exit 1; }
	done

.PHONY: check-package
check-package: deb
	@tools/bootstrap check
	lintian --fail-on error,warning --allow-root dist/healthd_*.changes

# In a host that has the package: here the programs that the units start are missing. Any output is a fault, since
# systemd-analyze ends with 0 over unknown keys.
.PHONY: check-units
check-units: deb
	@tools/bootstrap host
	@for service in systemd/*.service; do
		systemd-analyze security --offline=true --threshold=15 "$$service" | tail -n 1
	done
	@for release in $(RELEASES); do
		echo "systemd-analyze verify, on $$release"
		$(SUDO) $(PYTHON) -m tools.throwaway run $$release --deb $(PACKAGE) -- systemd-analyze verify --man=no $(UNITS) \
			|& { ! grep .; }
	done

.PHONY: venv
venv:
	@tools/bootstrap venv

.PHONY: clean
clean: ## remove what the other commands made in the tree
	rm -rf .venv dist build .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -r {} +
