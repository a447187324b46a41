# `make fuzz`: every target under tests/fuzz for FUZZ_S seconds (30), sanitizers on, starting from the kept seeds.
# T=fuzz_uri runs one. New finds stay in build/fuzz/corpus/NAME, a crash in build/fuzz/crash-*; keep it as a seed.
FUZZ_S ?= 30
FUZZ_SRC := $(if $(filter fuzz_%,$T),$(T:%=tests/fuzz/%.c),$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_BIN := $(FUZZ_SRC:tests/fuzz/%.c=$B/fuzz/%)

$(FUZZ_BIN): LDLIBS += -lqrencode -lfido2 -lzip -lcares
$(FUZZ_BIN): $B/fuzz/%: $B/tests/fuzz/%.o $(UNIT_LIBS)
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) -fsanitize=fuzzer -o $@ $< -Wl,--start-group $(UNIT_LIBS) -Wl,--end-group $(LDLIBS)

fuzz: deps-test
	@$(MAKE) --no-print-directory MODE=fuzz CC=clang-14 fuzz-run

fuzz-run: $(FUZZ_BIN)
	@tests/tools/fuzz $(FUZZ_S) build/fuzz $(FUZZ_BIN)

.PHONY: fuzz fuzz-run
