# Gatehouse. `make run` from a fresh clone to a working system, `make test` for every test; `make help` lists the rest.
#
# One folder per variant: build/release, build/asan, build/fuzz. Sources are found by folder, so a new file needs no line
# here. Arrows point down: core <- db, policy <- programs (tests/lint checks it).

MODE ?= release
B := build/$(MODE)
CC := gcc
PREFIX ?= /usr/local

PKGS := libcurl sqlite3 jansson libxml-2.0 libxslt libexslt openssl yaml-0.1 libpcre2-8 libsodium zlib libbrotlidec icu-uc
WARN := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wno-format-truncation -Wno-missing-field-initializers -Werror
release := -O2 -fno-plt -D_FORTIFY_SOURCE=2 -fstack-protector-strong
asan := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
# clang builds the fuzz targets; the warnings that count are gcc's
fuzz := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -w
CFLAGS := -std=gnu11 -D_GNU_SOURCE -g $(WARN) $($(MODE)) -I. -I$B/gen $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LDLIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lfcgi -lhiredis -lmd4c -llmdb -lpthread -lm

# ---- libraries and programs -------------------------------------------------------------------------------------------
core_SRC := $(wildcard core/*.c core/*/*.c)
db_SRC := $(wildcard db/*.c)
policy_SRC := $(wildcard policy/*.c policy/*/*.c)
config_SRC := $(wildcard config/*.c config/*/*.c)
web_SRC := $(wildcard portal/web/*.c)
# each program is its folder; main() stands in FOLDER/main.c, the rest goes into a library so that tests can link it
gateway_SRC := $(filter-out fcgi/main.c,$(wildcard fcgi/*.c))
portal_SRC := $(filter-out portal/portal/main.c,$(wildcard portal/portal/*.c))
admin_SRC := $(filter-out portal/admin/main.c,$(wildcard portal/admin/*.c))
keeper_SRC := $(filter-out keeper/main.c,$(wildcard keeper/*.c))
cli_SRC := $(filter-out cli/main.c,$(wildcard cli/*.c))

LIBS := core db policy config web gateway portal admin keeper cli
define LIB_RULE
$B/lib$(1).a: $$(patsubst %.c,$B/%.o,$$($(1)_SRC))
	@mkdir -p $$(@D); rm -f $$@; ar rcs $$@ $$^
endef
$(foreach l,$(LIBS),$(eval $(call LIB_RULE,$l)))

gatehouse_OBJ := $B/cli/main.o $B/libcli.a $B/libconfig.a $B/libpolicy.a $B/libdb.a $B/libcore.a
gatehouse-gateway_OBJ := $B/fcgi/main.o $B/libgateway.a $B/libpolicy.a $B/libdb.a $B/libcore.a
gatehouse-portal_OBJ := $B/portal/portal/main.o $B/libportal.a $B/libweb.a $B/libconfig.a $B/libpolicy.a $B/libdb.a $B/libcore.a
gatehouse-admin_OBJ := $B/portal/admin/main.o $B/libadmin.a $B/libweb.a $B/libconfig.a $B/libpolicy.a $B/libdb.a $B/libcore.a
gatehouse-keeper_OBJ := $B/keeper/main.o $B/libkeeper.a $B/libconfig.a $B/libpolicy.a $B/libdb.a $B/libcore.a
main_gatehouse := cli/main.c
main_gatehouse-gateway := fcgi/main.c
main_gatehouse-portal := portal/portal/main.c
main_gatehouse-admin := portal/admin/main.c
main_gatehouse-keeper := keeper/main.c
# a program is built once its main.c exists
PROGRAMS := $(foreach p,gatehouse gatehouse-gateway gatehouse-portal gatehouse-admin gatehouse-keeper,\
	$(if $(wildcard $(main_$p)),$p))
BINS := $(addprefix $B/bin/,$(PROGRAMS))

.DEFAULT_GOAL := all
all: $(BINS)

.SECONDEXPANSION:
# the picture of the second factor
$B/bin/gatehouse-portal $B/bin/gatehouse-admin: LDLIBS += -lqrencode
# configuration as a ZIP
$B/bin/gatehouse $B/bin/gatehouse-admin: LDLIBS += -lzip
# names of backends, with their TTL
$B/bin/gatehouse-gateway: LDLIBS += -lcares
# passkeys
$B/bin/gatehouse-portal $B/bin/gatehouse-admin: LDLIBS += -lfido2

$(BINS): $B/bin/%: $$($$*_OBJ)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)

$B/%.o: %.c $B/flags
	@mkdir -p $(@D)
	@echo "cc $<"
	@$(CC) $(CFLAGS) -MMD -MP -c $< -o $@

# rewritten only when the command changes, so a new flag rebuilds everything and nothing else does
$B/flags: FORCE
	@mkdir -p $(@D); echo '$(CC) $(CFLAGS)' | cmp -s - $@ || echo '$(CC) $(CFLAGS)' > $@
FORCE:

# make/assets.mk adds what is built from npm packages
assets:

-include make/generated.mk

# ---- tests ------------------------------------------------------------------------------------------------------------
UNIT_SRC := $(wildcard tests/unit/*.c tests/unit/*/*.c tests/unit/*/*/*.c)
UNIT_BIN := $(UNIT_SRC:%.c=$B/%)
UNIT_LIBS := $(addprefix $B/lib,$(addsuffix .a,portal admin web gateway keeper cli config policy db core))

$(UNIT_BIN): LDLIBS += -lqrencode -lfido2 -lzip -lcares
$(UNIT_BIN): $B/%: $B/%.o $(UNIT_LIBS)
	@$(CC) $(CFLAGS) -o $@ $< -Wl,--start-group $(UNIT_LIBS) -Wl,--end-group $(LDLIBS) -lcmocka

units: $(UNIT_BIN)

# `make unit T=core/str` builds and runs one; `make unit` all, with the sanitizers on
unit:
	@$(MAKE) --no-print-directory MODE=asan units-run

units-run: $(if $(T),$B/tests/unit/$(dir $T)test_$(notdir $T),units)
	@tests/run $(if $(T),$B/tests/unit/$(dir $T)test_$(notdir $T),$(UNIT_BIN))

-include make/test.mk make/run.mk make/deps.mk make/bench.mk make/fuzz.mk make/install.mk make/assets.mk

# ---- for people -------------------------------------------------------------------------------------------------------
compile_commands.json: FORCE
	@tests/tools/compile-commands '$(CC) $(CFLAGS)' $(core_SRC) $(db_SRC) $(policy_SRC) $(config_SRC) $(web_SRC) $(wildcard fcgi/*.c \
		portal/portal/*.c portal/admin/*.c keeper/*.c cli/*.c) $(UNIT_SRC) > $@

define HELP
make                         the programs, in build/release/bin; MODE=asan: with sanitizers, in build/asan/bin
make run                     the sample system on http://127.0.0.1:8080/; PORT=9000, STATE=DIR
make deps                    installs the Debian packages that building and running need
make deps-test, deps-bench   those that tests and measurements need besides
make install                 PREFIX (/usr/local), DESTDIR
make test                    every test; T=tests/http/calls.test.js one, SERVERS=nginx behind one web server
make unit                    unit tests; T=core/str one of them
make headers                 each public header compiles alone
make screenshots             pictures of every page, in build/screenshots
make bench                   Gatehouse beside the bare web servers; ONLY=NAME a part
make bench-record            what the record of a call costs
make soak                    what takes hours; parts of it: make soak-kills, soak-traffic
make fuzz                    fuzz targets, FUZZ_S=30 seconds each; T=fuzz_NAME one
make compile_commands.json   for editors
make clean                   removes build/
endef
export HELP
help:
	@echo "$$HELP"

# each public header compiles alone; those of tests are parts of one test
headers:
	@for h in $$(git ls-files '*.h' ':!tests'); do \
		$(CC) $(CFLAGS) -Wno-unused -fsyntax-only -include $$h -x c /dev/null || exit 1; done; echo "headers: ok"

clean:
	rm -rf build

.PHONY: all assets FORCE help units unit units-run headers clean
-include $(shell find $B -name '*.d' 2>/dev/null)
