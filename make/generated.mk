# What is generated from files of the tree: the migrations of db/schema/ as C strings, so that a program carries its schema; and
# the scripts that run in Redis.
SCHEMA_SQL := $(sort $(wildcard db/schema/*.sql))

$B/gen/schema.h: $(SCHEMA_SQL) $B/gen/schema.list tools/embed-sql
	@mkdir -p $(@D); tools/embed-sql $(SCHEMA_SQL) > $@.new && mv $@.new $@

# a file that is added or removed makes the header anew
$B/gen/schema.list: FORCE
	@mkdir -p $(@D); echo '$(SCHEMA_SQL)' | cmp -s - $@ || echo '$(SCHEMA_SQL)' > $@

# before anything that includes it is compiled for the first time; afterwards the dependency files know
$B/db/migrate.o $(patsubst %.c,$B/%.o,$(wildcard tests/unit/db/*.c)): $B/gen/schema.h

# the rulesets of governance that travel in the program
RULESETS := $(sort $(wildcard config/governance/builtin/*.yaml))

$B/gen/rulesets.inc: $(RULESETS) $B/gen/rulesets.list tools/embed-text
	@mkdir -p $(@D); tools/embed-text $(RULESETS) > $@.new && mv $@.new $@

$B/gen/rulesets.list: FORCE
	@mkdir -p $(@D); echo '$(RULESETS)' | cmp -s - $@ || echo '$(RULESETS)' > $@

$B/config/governance/rulesets.o: $B/gen/rulesets.inc

# in the order of enum shared_script
SHARED_SCRIPTS := fcgi/shared_limit.lua fcgi/shared_state.lua fcgi/shared_token.lua fcgi/shared_place.lua

$B/gen/shared_scripts.inc: $(SHARED_SCRIPTS) $B/gen/shared_scripts.list tools/embed-text
	@mkdir -p $(@D); tools/embed-text $(SHARED_SCRIPTS) > $@.new && mv $@.new $@

$B/gen/shared_scripts.list: FORCE
	@mkdir -p $(@D); echo '$(SHARED_SCRIPTS)' | cmp -s - $@ || echo '$(SHARED_SCRIPTS)' > $@

$B/fcgi/shared.o: $B/gen/shared_scripts.inc
