# The front door: each target is one preset or one tool. `make` prints this list.
.DEFAULT_GOAL := help
JOBS ?= $(shell nproc)
PYTHON := /usr/bin/python3
RELEASE := build/release
CONFIGURE := cmake --preset
DASHBOARD ?= ON# OFF: without it, and without Node

help: ## print this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: build ## install what is missing, build, start the server (embedded SQLite, commands allowed)
	$(RELEASE)/chronos serve --allow-commands $(ARGS)

cluster: build ## three nodes, PostgreSQL and a streaming standby on this machine, for trying out
	@tools/packages.sh cluster
	@tools/cluster.sh $(RELEASE)/chronos $(ARGS)

build: ## install what is missing and build build/release/chronos
	@tools/packages.sh $(if $(filter OFF,$(DASHBOARD)),server,build)
	@$(CONFIGURE) release -DCHRONOS_TESTS=OFF -DCHRONOS_DASHBOARD=$(DASHBOARD) >/dev/null
	@cmake --build $(RELEASE) -j $(JOBS) --target chronos

test: ## install what the tests need, build and run all of them (what CI runs)
	@tools/packages.sh test
	@$(CONFIGURE) release -DCHRONOS_TESTS=ON -DCHRONOS_DASHBOARD=ON >/dev/null
	@cmake --build $(RELEASE) -j $(JOBS)
	@ctest --test-dir $(RELEASE) --output-on-failure --timeout 1200

check: test ## test, and format, tidy, layering, ASan+UBSan, TSan
	@tools/packages.sh check
	@tools/check.sh

bench: ## measure, as ratios to the limits of this machine measured in the same run
	@tools/packages.sh bench
	@$(CONFIGURE) release -DCHRONOS_BENCH=ON >/dev/null
	@cmake --build $(RELEASE) -j $(JOBS)
	@$(PYTHON) bench/run.py $(RELEASE) $(ARGS)

bench-peers: ## measure beside beanstalkd, BullMQ, graphile-worker, pg-boss, node-schedule
	@tools/packages.sh peers
	@$(CONFIGURE) release -DCHRONOS_BENCH=ON >/dev/null
	@cmake --build $(RELEASE) -j $(JOBS) --target chronos load
	@$(PYTHON) bench/peers/compare.py $(RELEASE) $(ARGS)

bench-screens: ## measure each screen of the dashboard with a million jobs and ten million runs
	@tools/packages.sh screens
	@$(CONFIGURE) release -DCHRONOS_BENCH=ON -DCHRONOS_DASHBOARD=ON >/dev/null
	@cmake --build $(RELEASE) -j $(JOBS) --target chronos store_bench
	@node bench/screens.mjs $(RELEASE) $(ARGS)

screenshots: build ## take the pictures of docs/screenshots, from `chronos demo`
	@tools/packages.sh screenshots
	@CHRONOS_BINARY=$(RELEASE)/chronos node tests/dashboard/screenshots.mjs docs/screenshots $(ARGS)

sim: ## replay one simulator seed, for two minutes at most: make sim SEED=123
	@tools/packages.sh test
	@$(CONFIGURE) release -DCHRONOS_TESTS=ON >/dev/null
	@cmake --build $(RELEASE) -j $(JOBS) --target sim
	@timeout 120 $(RELEASE)/sim --seed $(SEED) $(ARGS)

soak: ## run the rigs in turns, on and on, each time from where the last ended: make soak SECONDS=3600
	@tools/packages.sh test
	@$(CONFIGURE) release -DCHRONOS_TESTS=ON >/dev/null
	@cmake --build $(RELEASE) -j $(JOBS) --target chronos sim failing_malloc power_test
	@tools/soak.py $(RELEASE) $(if $(SECONDS),--seconds $(SECONDS)) $(ARGS)

fuzz: ## look for inputs that break a parser: make fuzz T=schedule SECONDS=600
	@tools/packages.sh check
	@$(CONFIGURE) fuzz >/dev/null
	@cmake --build build/fuzz -j $(JOBS) --target fuzz_$(T)
	@tools/fuzz.sh $(T) $(or $(SECONDS),60)

fmt: ## format the sources
	@git ls-files '*.cc' '*.h' | xargs clang-format-19 -i

clean: ## remove what was built
	rm -rf build

.PHONY: help run cluster build test check bench bench-peers bench-screens screenshots sim soak fuzz fmt clean
