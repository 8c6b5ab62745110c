# SPDX-License-Identifier: Apache-2.0
# The targets people type. Meson (meson.build) does the building, tools/ the rest.
#
#   make CC=clang        builds with clang, in build-clang/
#   make T=30 fuzz       runs each fuzzer for 30 seconds
#   make install PREFIX=/usr DESTDIR=/tmp/package

T      ?= 30
PREFIX ?= /usr/local
BUILD  := build
ifneq ($(origin CC),default)
export CC
BUILD  := build-$(notdir $(CC))
endif
ARGS   ?=
comma  := ,
CLANG  := CC=clang -Doptimization=1 -Db_lundef=false

# $(call built,FOLDER,OPTIONS): FOLDER is configured with OPTIONS and everything in it is up to date.
define built
	@command -v meson >/dev/null || { echo "meson is missing: run tools/setup build" >&2; exit 1; }
	@[ -f $1/build.ninja ] || $(filter CC=%,$2) meson setup $1 $(filter-out CC=%,$2)
	@ninja -C $1
endef

.PHONY: build run test fresh asan tsan fuzz mutate bench tidy fmt docs clients install clean help

build: ## build the program into build/
	$(call built,$(BUILD))

run: ## install what is missing, build, and start on 127.0.0.1:8080
	@tools/setup build
	$(call built,$(BUILD))
	@exec $(BUILD)/entrepot serve $(ARGS)

test: ## install what is missing, build, and run every test
	@tools/setup test
	@# A folder that was configured before cmocka was here has no unit tests yet.
	@[ ! -f $(BUILD)/build.ninja ] || grep -qs 'tests = enabled' $(BUILD)/meson-private/cmd_line.txt || \
		meson configure $(BUILD) -Dtests=enabled
	$(call built,$(BUILD),-Dtests=enabled)
	@tools/test --build $(BUILD) $(ARGS)

# Sanitizers and fuzzers are clang's: gcc's UBSan cannot write its reports to a file.
asan: ## every test under AddressSanitizer and UndefinedBehaviorSanitizer
	@tools/setup test fuzz
	$(call built,build-asan,$(CLANG) -Dtests=enabled -Db_sanitize=address$(comma)undefined)
	@tools/test --build build-asan --sanitizer address,undefined $(ARGS)

tsan: ## tests with several threads, and the station with 3 lanes, under ThreadSanitizer
	@tools/setup test fuzz
	$(call built,build-tsan,$(CLANG) -Dtests=enabled -Db_sanitize=thread)
	@ENTREPOT_TEST_LANES=3 tools/test --build build-tsan --sanitizer thread \
		--suite threads --folder wire $(ARGS)

fuzz: ## each fuzzer for T seconds
	@tools/setup fuzz
	$(call built,build-fuzz,$(CLANG) -Dtests=disabled -Dfuzz=true -Db_sanitize=address$(comma)undefined)
	@tools/fuzz build-fuzz $(T)

mutate: ## rules of the money broken on purpose: which tests notice?
	@tools/setup test
	$(call built,$(BUILD),-Dtests=enabled)
	@tools/mutate --build $(BUILD) $(ARGS)

bench: ## against nginx on this machine
	@tools/setup build bench
	$(call built,$(BUILD))
	@python3 bench/run.py --build $(BUILD) $(ARGS)

clients: ## real clients against upstreams of every dialect (npm and PyPI, 1.5 GB)
	@tools/setup build
	$(call built,$(BUILD))
	@tools/clients --build $(BUILD) $(ARGS)

tidy: ## the rules of the house
	@tools/setup build tidy
	@tools/tidy $(ARGS)

docs: ## write docs/*.md that are made of tables
	$(call built,$(BUILD))
	@for page in accounts conversion policy; do $(BUILD)/$${page}_doc > docs/$$page.md || exit 1; done

fmt: ## lay out the C source
	@tools/setup tidy
	@git ls-files -co --exclude-standard '*.c' '*.h' | xargs -r clang-format-19 -i

fresh: ## both commands on minimal Debian 12 and 13 (needs root)
	@tools/setup fresh
	@tools/fresh $(ARGS)

install: build ## into PREFIX, below DESTDIR if given
	@meson configure $(BUILD) -Dprefix=$(PREFIX)
	@meson install -C $(BUILD) --quiet

clean: ## remove what was built (not data/)
	rm -rf build build-*

help: ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20
