# Debian packages. `make deps` installs what building and running needs, `make deps-test` what the tests need besides.
# Nothing is installed when everything is there, so both are cheap to depend on.

DEPS_BUILD := build-essential pkg-config libfcgi-dev libcurl4-openssl-dev libsqlite3-dev libjansson-dev libxml2-dev \
	libxslt1-dev libssl-dev libyaml-dev libpcre2-dev libsodium-dev libmd4c-dev liblmdb-dev zlib1g-dev libbrotli-dev \
	libicu-dev libqrencode-dev libfido2-dev libzip-dev libhiredis-dev libc-ares-dev
DEPS_RUN := lighttpd lighttpd-modules-lua curl ca-certificates tzdata
DEPS_TEST := libcmocka-dev perl nginx-light apache2 libapache2-mod-fcgid openssl clang-14 libclang-rt-14-dev chromium \
	json-schema-test-suite shared-mime-info redis-server redis-sentinel sqlite3 lighttpd-mod-openssl \
	php-cli php-curl python3-requests dnsmasq-base
DEPS_BENCH := wrk redis-server

# nodejs and npm come from Debian only where no node is there already (a newer one from elsewhere serves as well)
need_node = $(if $(shell command -v node),,nodejs) $(if $(shell command -v npm),,npm)

deps:
	@tools/install-packages $(DEPS_BUILD) $(DEPS_RUN) $(need_node)

deps-test: deps
	@tools/install-packages $(DEPS_TEST)

deps-bench: deps
	@tools/install-packages nginx-light $(DEPS_BENCH)

.PHONY: deps deps-test deps-bench
