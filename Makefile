# SPDX-License-Identifier: Apache-2.0
# What a person runs. "make setup" brings everything that the other targets need; npm scripts run on the
# pinned Node, because npm puts node_modules/.bin first.

SHELL := /bin/sh
NODE := node_modules/.bin/node

.DEFAULT_GOAL := help
.PHONY: help setup program demo test check kernels mutants fuzz bench soak bare sbom clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | awk -F'\t' '{ printf "make %-9s %s\n", $$1, $$2 }'

setup: ## bring the pinned Node, packages, tools and the guest, build bpf/ and native/
	@command -v node >/dev/null || { \
		echo 'error: there is no "node" on PATH; set-up itself runs on any Node from 18' >&2; \
		echo 'hint: as root: apt-get install nodejs npm' >&2; exit 1; }
	@node packaging/setup/setup.mjs

program: setup ## write `warder` bundled, with a start-up snapshot for `warder verify`, to build/program
	@$(NODE) packaging/program/make.mjs

demo: setup ## show the whole way from a git push to enforcement in an emulated guest
	@$(NODE) packaging/demo/demo.ts

test: setup ## run every check and test; the last line sums them up
	@$(NODE) packaging/setup/test-all.mjs

check: setup ## run the static checks and the fast tests
	@npm run --silent check

mutants: setup ## break what decides line by line, and show that a test notices each
	@$(NODE) packaging/mutants/run.ts

kernels: setup ## run every guest test on every kernel series, and write docs/kernel-matrix.md
	@$(NODE) packaging/kernels/run.ts

fuzz: setup ## change inputs of every reader by chance for FUZZ_SECONDS (60), and show that what must hold does
	@$(NODE) test/fuzz/run.ts

bench: setup ## measure the cost of admission beside cosign, and of enforcement in instructions (guest)
	@$(NODE) bench/admission.ts
	@$(NODE) bench/bench.ts $(BENCH)

bare: ## set up the last commit on a clean Debian 12, built for it (root, debootstrap, network, minutes)
	@packaging/setup/bare.sh

soak: setup ## a million kept answers beside the walk, 5 million decisions under swaps, every sabotage and variant (guest, hours)
	@WARDER_SOAK=1 npm run --silent test:guest -- test/vm/oracle.test.ts test/vm/swap.test.ts test/vm/sabotage.test.ts test/vm/variants.test.ts

sbom: setup ## write the software bill of materials (CycloneDX) to dist/
	@mkdir -p dist
	@PATH="$$PWD/node_modules/.bin:$$PATH" npm sbom --loglevel=error --omit dev --sbom-format cyclonedx > dist/warder.cdx.json

clean: ## remove what was built here; downloads and node_modules stay
	@rm -rf build bin .cache dist coverage
	@for folder in bpf native; do test ! -f $$folder/Makefile || $(MAKE) -s -C $$folder clean; done
