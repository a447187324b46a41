# `make run`: the sample system in the foreground. PORT=8080 and the two above it; STATE=var keeps the data.
run: deps
	@$(MAKE) --no-print-directory MODE=release all assets
	@tools/run-sample

.PHONY: run
