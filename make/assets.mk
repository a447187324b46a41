# Static files. What the web apps load is our own and stands in www/ as it is, but for the viewer of whole descriptions, which
# is copied from npm into www/vendor/ (not committed), and the editor of policies, which is bundled there. They are fetched
# once; without npm the build goes on.
#
# npm keeps what it has fetched in HOME; where nothing can be written there, in build/npm.
ifeq ($(shell test -w "$$HOME" && echo yes),)
export npm_config_cache := $(CURDIR)/build/npm
endif

VIEWER := www/vendor/swagger-ui/swagger-ui-bundle.js
EDITOR_JS := www/vendor/editor/policy-editor.js

assets: $(VIEWER) $(EDITOR_JS)
	@test -s www/gatehouse.css

$(VIEWER): tools/viewer/package-lock.json tools/copy-viewer
	@tools/copy-viewer

$(EDITOR_JS): tools/editor/package-lock.json $(wildcard tools/editor/*.js) tools/build-editor
	@tools/build-editor

all: assets

# What the tests in tests/browser and tests/http use from npm, at the versions of the lock file.
node_modules/.package-lock.json: package-lock.json | deps
	@npm ci --no-audit --no-fund --loglevel=error --fetch-retries=5

deps-test: node_modules/.package-lock.json

.PHONY: assets
