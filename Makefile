# make demo, make test: on a fresh Debian machine with a Rust toolchain, as root, these two do all
# set-up. What they install is listed in the `packages-…` targets; a Python environment is made in .venv.

CC ?= cc
CFLAGS ?= -O2
release := target/release
library := $(release)/libwsgate.so.0
venv := .venv/bin
ADDRESS ?= 127.0.0.1:8080
export CARGO_TERM_COLOR ?= never

.PHONY: help build demo demo-c demo-php demo-python demo-rust test lint test-rust unfinished test-c test-python test-php readme \
	conformance compression browser autobahn autobahn-short sanitizers sanitizers-short soak loom fuzz fuzz-short packaging \
	bench bench-workers bench-deflate bench-stream bench-python bench-php clean

help:
	@echo "make demo | demo-php | demo-python | demo-rust   the chat at http://$(ADDRESS)/ (ADDRESS=...)"
	@echo "make test        everything: lints, Rust, C, Python, PHP, conformance, browser, Autobahn's short form"
	@echo "make install     header, libraries, pkg-config and CMake files into PREFIX (/usr/local); DESTDIR"
	@echo "make deb | dist  Debian packages; a source archive that builds offline"
	@echo "make docs        the C reference, target/docs/c/html"
	@echo "make autobahn    Autobahn's 517 cases, compression's included, strict"
	@echo "make unfinished  10,000 connections that never finish their request, beside honest ones"
	@echo "make fuzz        each fuzz target for FUZZ_TIME (600s)"
	@echo "make sanitizers  the engine under AddressSanitizer and ThreadSanitizer, all of it"
	@echo "make soak        the hardening tests for minutes in place of seconds"
	@echo "make loom        models of the queues and the table of clients, in every order of threads"
	@echo "make bench       CPU per message beside other servers, in one run; PEERS=dir adds start scripts"
	@echo "make bench-workers  deliveries a second by one worker, by two...: each core more should nearly double them"
	@echo "make bench-deflate | bench-backends   compression beside other servers; compressors beside each other"
	@echo "make bench-php   PHP's two layers; PEERS=dir adds start scripts of others; BENCH=--quick"
	@echo "make bench-python  the Python package beside websockets, picows, aiohttp and socketify; BENCH=--quick"

# ---- what the system must have -------------------------------------------------------------------

.PHONY: packages-c packages-curl packages-php packages-python packages-browser packages-packaging
packages-c:
	@tools/packages.sh cc:gcc g++:g++ "valgrind:valgrind libc6-dbg" nm:binutils
packages-curl:
	@tools/packages.sh curl:curl
packages-packaging: packages-c
	@tools/packages.sh pkg-config:pkgconf cmake:cmake dh:debhelper dpkg-deb:dpkg
packages-php:
	@tools/packages.sh php:php-cli phpunit:phpunit /usr/share/php/Psr/Log/LoggerInterface.php:php-psr-log
packages-python:
	@tools/packages.sh python3:python3
	@tools/venv.sh
packages-browser: packages-python
	@tools/packages.sh chromium:chromium chromedriver:chromium-driver

# ---- the library and the demos -------------------------------------------------------------------

build: $(library)
$(library): FORCE
	@cargo build --quiet --release --locked --lib
	@ln -sf libwsgate.so $@
FORCE:

demo: demo-c
demo-c: build
	@tools/packages.sh cc:gcc
	@mkdir -p target/examples
	@$(CC) -std=c99 $(CFLAGS) -Wall -Wextra -Wpedantic -Iinclude examples/c/chat.c -o target/examples/chat \
		-L$(release) -lwsgate -pthread -Wl,-rpath,$(CURDIR)/$(release)
	@exec target/examples/chat $(ADDRESS) examples/public
demo-php: build
	@tools/packages.sh php:php-cli
	@exec php examples/php/chat.php $(ADDRESS) examples/public
demo-python: build
	@tools/packages.sh python3:python3
	@PYTHONPATH=bindings/python/src exec python3 examples/python/chat.py $(ADDRESS) examples/public
demo-rust:
	@exec cargo run --quiet --release --locked --example chat -- $(ADDRESS) examples/public

# ---- to install ----------------------------------------------------------------------------------

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
STRIP ?= strip
install: export PREFIX := $(PREFIX)
install: export LIBDIR := $(LIBDIR)
install: export INCLUDEDIR := $(INCLUDEDIR)
install: export DESTDIR := $(DESTDIR)
install: export STRIP := $(STRIP)

# `make build` and then `make install` as root: what is built already is not built again.
.PHONY: install uninstall dist deb
install:
	@[ -e $(release)/libwsgate.so ] && [ -e $(release)/libwsgate.a ] || $(MAKE) build
	@packaging/install.sh
	@echo "installed below $(DESTDIR)$(PREFIX)"

dist:
	@packaging/dist.sh

deb: build
	@packaging/deb.sh

# The C reference, target/docs/c/html: made, not kept, so that it can't be older than the header.
.PHONY: docs
docs:
	@tools/packages.sh doxygen:doxygen
	@rm -rf target/docs/c && mkdir -p target/docs/c
	@doxygen docs/Doxyfile
	@echo "made target/docs/c/html/index.html"

uninstall:
	rm -f $(DESTDIR)$(INCLUDEDIR)/wsgate.h $(DESTDIR)$(LIBDIR)/libwsgate.* $(DESTDIR)$(LIBDIR)/pkgconfig/wsgate.pc
	rm -rf $(DESTDIR)$(LIBDIR)/cmake/wsgate

# ---- tests ---------------------------------------------------------------------------------------

test: lint test-rust loom test-c test-python test-php readme conformance compression browser autobahn-short \
	sanitizers-short fuzz-short packaging
	@echo "make test: all passed"

lint: packages-python packages-php
	cargo fmt --check
	cargo clippy --quiet --locked --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --quiet --locked --no-deps
	cd benches && cargo fmt --check
	cd benches/backends && cargo fmt --check
	cd fuzz && cargo fmt --check
	cd benches && cargo clippy --quiet --locked --all-targets -- -D warnings
	$(venv)/ruff check bindings/python tests benches examples
	cd bindings/python && ../../$(venv)/mypy --strict src
	@find bindings/php examples/php benches/servers/php -name '*.php' -print0 | xargs -0 -n 1 -P 2 php -l >/dev/null
	@tools/style.sh
	@$(MAKE) --no-print-directory docs

test-rust: packages-curl
	cargo test --locked --lib --test generated --test server --test http --test examples --test hardening
	cargo test --locked --doc

# What tests/hardening does for seconds, for minutes: a host and a handler that stay away, a million outcomes, five
# thousand clients who come and go amid calls with stale ids; those under valgrind, too.
soak: packages-c
	WSGATE_TEST_SECONDS=60 WSGATE_OUTCOMES=1000000 WSGATE_CLIENTS=5000 WSGATE_ORDER_ROUNDS=10 \
		cargo test --locked --release --test hardening -- --test-threads 2
	WSGATE_THREADS=8 WSGATE_STALE_IDS=1000000 WSGATE_CLIENTS=5000 \
		cargo test --locked --test c_api stale_ids_under_load

# Ten thousand connections that never finish their request, beside honest ones; `test-rust` has a thousand.
unfinished:
	ulimit -n "$$(ulimit -Hn)" && WSGATE_UNFINISHED=10000 cargo test --locked --release --test hardening -- --nocapture unfinished::

test-c: packages-c
	cargo test --locked --test c_api

test-python: build packages-python
	$(venv)/python -m pytest -q -W error bindings/python/tests

test-php: build packages-php
	phpunit -c bindings/php

# Needs mago and composer: tools/analyse-php.sh says how to have them.
.PHONY: analyse-php
analyse-php:
	@tools/analyse-php.sh

packaging: build packages-packaging
	tests/packaging/install.sh
	tests/packaging/dist.sh
	tests/packaging/deb.sh

readme: build packages-c packages-php packages-python
	$(venv)/python tests/readme/run.py

# With permessage-deflate, each message for itself or with takeover.
streaming := c-push-stream c-pull-stream c-push-stream-deflate c-pull-stream-takeover-deflate
compressing := c-push-deflate c-push-takeover-deflate c-pull-deflate
servers := c-push c-pull rust python-callback python-asyncio php-callback php-fiber

# LONG=1: more messages, and all of them for each server.
compression: build packages-c packages-php packages-browser
	$(venv)/python tests/compression/run.py $(compressing:%=benches/servers/%-echo.sh) \
		$(addsuffix -deflate-echo.sh,$(addprefix benches/servers/,rust python-callback python-asyncio php-callback php-fiber)) \
		$(streaming:%=benches/servers/%-echo.sh)

conformance: build packages-c packages-php packages-python
	$(venv)/python tests/conformance/run.py --transcript target/conformance \
		$(servers:%=benches/servers/%-conformance.sh)

browser: build packages-c packages-php packages-browser
	@mkdir -p target/examples
	$(CC) -std=c99 $(CFLAGS) -Wall -Wextra -Wpedantic -Werror -Iinclude examples/c/chat.c -o target/examples/chat \
		-L$(release) -lwsgate -pthread -Wl,-rpath,$(CURDIR)/$(release)
	cargo build --quiet --release --locked --example chat
	$(venv)/python tests/browser/run.py "target/examples/chat {address} examples/public" \
		"php examples/php/chat.php {address} examples/public" \
		"PYTHONPATH=bindings/python/src python3 examples/python/chat.py {address} examples/public" \
		"$(release)/examples/chat {address} examples/public"

autobahn-short: build
	REVOLT= tests/autobahn/suite.sh --short $(servers) $(compressing) $(streaming) examples/python/echo.py examples/php/echo.php
	@if [ -n "$$REVOLT" ]; then tests/autobahn/suite.sh --short php-fiber examples/php/echo.php; \
		else echo "Autobahn in Revolt's event loop: skipped: no Revolt"; fi

autobahn: build
	tests/autobahn/suite.sh $(servers) $(compressing) $(streaming)

sanitizers-short: packages-c
	@tools/packages.sh clang:clang
	tests/sanitizers.sh short

sanitizers: packages-c
	@tools/packages.sh clang:clang
	tests/sanitizers.sh

fuzz_targets := frames submit request
FUZZ_TIME ?= 600s

fuzz-short: packages-c
	@for target in $(fuzz_targets); do fuzz/run.sh $$target 20s || exit 1; done

fuzz: packages-c
	@for target in $(fuzz_targets); do fuzz/run.sh $$target $(FUZZ_TIME) || exit 1; done

loom:
	RUSTFLAGS='--cfg wsgate_loom' CARGO_PROFILE_TEST_OPT_LEVEL=2 cargo test --quiet --locked --lib --target-dir target/loom models

# ---- measurements --------------------------------------------------------------------------------

# Beside what PyPI, npm and Debian have; PEERS=dir adds start scripts NAME-deflate-echo.sh, NAME-deflate-broadcast.sh.
bench-deflate: build packages-python
	cd benches && cargo build --quiet --release --locked
	@for package in $$(grep -E '^(websockets|socketify)=' benches/python-peers/requirements.txt); do \
		$(venv)/pip install --quiet --disable-pip-version-check $$package || echo "$$package is left out"; done
	@tools/npm.sh ws >/dev/null || echo "ws is left out"
	@tools/packages.sh cc:gcc /usr/include/libwebsockets.h:libwebsockets-dev || echo "libwebsockets is left out"
	PYTHON=$(CURDIR)/$(venv)/python python3 benches/run.py \
		--peers benches/python-peers --peers benches/node-peers --peers benches/c-peers \
		--servers "$$(tools/servers.sh --deflate c-push,c-push-takeover websockets,websockets-takeover,socketify \
			ws,ws-takeover libwebsockets,libwebsockets-takeover)" $(BENCH) deflate

# Compressors beside each other: the table in docs/compression.md.
.PHONY: bench-backends
bench-backends:
	@tools/packages.sh cc:gcc make:make cmake:cmake
	cd benches/backends && cargo run --quiet --release --locked --target-dir ../target

bench-stream: build
	cd benches && cargo build --quiet --release --locked
	python3 benches/run.py stream

bench: build
	cd benches && cargo build --quiet --release --locked
	python3 benches/run.py all

# What a second worker, a third... adds to a broadcast, while the machine is theirs.
bench-workers: build
	cd benches && cargo build --quiet --release --locked
	python3 benches/run.py $(BENCH) workers

# PEERS=dir names start scripts of others: amphp's, Swoole's, Workerman's. BENCH='--reference swoole' for ratios to one.
bench-php: build
	python3 benches/run.py --reference c-push --servers "$$(tools/servers.sh php- c-push)" \
		--only ' 100 B| 32 B, depth .*, clients 1(00)?$$| in flight |idle' $(BENCH) all

# What bench-python compares: `websockets` and others from PyPI, those of them that install.
bench-python: build packages-python
	@for package in $$(cat benches/python-peers/requirements.txt); do \
		$(venv)/pip install --quiet --disable-pip-version-check $$package || echo "$$package is left out"; done
	PYTHON=$(CURDIR)/$(venv)/python python3 benches/run.py --peers benches/python-peers --reference websockets \
		--servers python-callback,python-asyncio,websockets,picows,aiohttp,socketify \
		--only ' (32|1024) B, depth (1|16), clients 100$$| in flight .*, clients 500$$' $(BENCH) all

clean:
	cargo clean
	rm -rf benches/target .venv .cache
