# Static files. What the web apps load is our own and stands in www/ as it is; there is nothing to bundle.
assets:
	@test -s www/gatehouse.css

.PHONY: assets
