# Static files. What the web apps load is our own and stands in www/ as it is, but for the viewer of whole descriptions, which
# is copied from npm into www/vendor/ (not committed). It is fetched once; without npm the build goes on.
VIEWER := www/vendor/swagger-ui/swagger-ui-bundle.js

assets: $(VIEWER)
	@test -s www/gatehouse.css

$(VIEWER): tools/viewer/package-lock.json tools/copy-viewer
	@tools/copy-viewer

all: assets

# What the tests in tests/browser and tests/http use from npm, at the versions of the lock file.
node_modules/.package-lock.json: package-lock.json | deps
	@npm ci --no-audit --no-fund --loglevel=error

deps-test: node_modules/.package-lock.json

.PHONY: assets
