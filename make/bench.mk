# `make bench`: Gatehouse beside the bare web servers, in one run on one machine. Absolute times depend on the machine; the
# ratios are what is compared. ROUNDS=3 SECONDS_EACH=5; ONLY=nginx,pages picks parts. Writes build/bench.json.
bench: deps-bench
	@$(MAKE) --no-print-directory MODE=release all bench-tools
	@node tests/bench/bench.js

BENCH_BIN := $(patsubst tests/bench/%.c,$B/bench/%,$(wildcard tests/bench/*.c))
$(BENCH_BIN): LDLIBS += -lqrencode -lfido2 -lzip -lcares
$(BENCH_BIN): $B/bench/%: $B/tests/bench/%.o $(UNIT_LIBS)
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) -o $@ $< -Wl,--start-group $(UNIT_LIBS) -Wl,--end-group $(LDLIBS)

bench-tools: $(BENCH_BIN)

# `make bench-record`: what the record of a call takes of the processor, for the gateway and for the keeper, when calls are of one kind
# and of twenty (KINDS), and its bytes in the store. Works on a busy machine too: it is processor time.
KINDS ?= 1 20
bench-record:
	@$(MAKE) --no-print-directory MODE=release all build/release/bench/drain
	@for kinds in $(KINDS); do rm -rf build/record && mkdir -p build/record \
	  && echo "a sentence that nobody guesses" > build/record/password \
	  && build/release/bin/gatehouse init --state build/record/state --admin bench@example.com --password-file build/record/password > build/record/log \
	  && build/release/bench/drain build/record/state 200000 $$kinds || exit 1; done
	@rm -rf build/record

.PHONY: bench bench-tools bench-record

# `make soak`: what takes long. 100 million calls in the totals and 10 million single ones, and how long questions to them take
# (CALLS, RAW for other numbers); needs about 2 GB in build/soak. Then 50 kills of workers and keeper under load, and a keeper
# that is stopped for a minute (KILLS, STOP_S; `make soak-kills` for these alone), then `make soak-traffic`.
CALLS ?= 100000000
RAW ?= 10000000
soak:
	@$(MAKE) --no-print-directory MODE=release all build/release/bench/rollups
	@rm -rf build/soak && mkdir -p build/soak && echo "a sentence that nobody guesses" > build/soak/password
	@build/release/bin/gatehouse init --state build/soak/state --admin soak@example.com --password-file build/soak/password > build/soak/log
	@build/release/bench/rollups build/soak/state $(CALLS) $(RAW)
	@rm -rf build/soak
	@$(MAKE) --no-print-directory soak-kills soak-traffic

soak-kills: deps-test
	@$(MAKE) --no-print-directory MODE=release all
	@PATH="$$(tools/node-dir):$$PATH" tests/run tests/soak/kills.test.js

# limits 200 times (ROUNDS), a node killed 20 times (KILLS), backends that hang; wants a quiet machine
soak-traffic: deps-test
	@$(MAKE) --no-print-directory MODE=release all
	@PATH="$$(tools/node-dir):$$PATH" tests/run tests/soak/traffic.test.js

.PHONY: soak soak-kills soak-traffic
