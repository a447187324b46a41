# `make test`: every test, with the sanitizers on, from a fresh clone. The closing line is "N passed, N failed".
# SERVERS=nginx runs the HTTP tests behind one web server only; T=tests/http/access.test.js runs one file.

HTTP_TESTS := $(wildcard tests/http/*.test.js)
STORY_TESTS := $(wildcard tests/stories/*.test.js)
BROWSER_TESTS := $(wildcard tests/browser/*.test.js)

# the large descriptions are fetched while the compilers run; where that fails the test that wants them tries again, and says why
test: deps-test
	@mkdir -p build; tests/tools/large-descriptions >build/large.log 2>&1 & \
	$(MAKE) --no-print-directory test-build; built=$$?; wait; exit $$built
	@$(MAKE) --no-print-directory MODE=asan test-run

# the sanitized programs, and the release build for what is measured (memory, start-up)
test-build:
	@$(MAKE) --no-print-directory -j2 MODE=release all assets build/release/bench/traffic
	@$(MAKE) --no-print-directory -j2 MODE=asan all units

# the longest first, so that none of them ends alone; both builds are of these sources, see tests/http/harness.js
test-run:
	@QUICK_SETUP=yes PATH="$$(tools/node-dir):$$PATH" tests/run $(or $(T),tests/lint tests/texts tests/closing $(STORY_TESTS) $(BROWSER_TESTS) $(HTTP_TESTS) $(UNIT_BIN))

# pictures of every page, light and dark, at both widths, in build/screenshots: for people to look at
screenshots: deps-test test-build
	@SCREENSHOTS=yes $(MAKE) --no-print-directory MODE=asan test-run T="$(wildcard tests/browser/*.test.js)"

.PHONY: test test-build test-run screenshots
