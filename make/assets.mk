# Static files. What the web apps load is our own and stands in www/ as it is; there is nothing to bundle.
assets:
	@test -s www/gatehouse.css

# What the tests in tests/browser and tests/http use from npm, at the versions of the lock file.
node_modules/.package-lock.json: package-lock.json | deps
	@npm ci --no-audit --no-fund --loglevel=error

deps-test: node_modules/.package-lock.json

.PHONY: assets
