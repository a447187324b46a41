# `make install`: PREFIX (/usr/local) and DESTDIR as usual.
INSTALL := install
SHARE := $(DESTDIR)$(PREFIX)/share/gatehouse

install: all assets
	$(INSTALL) -d $(DESTDIR)$(PREFIX)/bin $(SHARE) $(DESTDIR)$(PREFIX)/share/doc/gatehouse
	$(INSTALL) -m 755 $(BINS) $(DESTDIR)$(PREFIX)/bin
	cp -R templates www deploy $(SHARE)/
	cp -R docs/. README.md CHANGELOG.md $(DESTDIR)$(PREFIX)/share/doc/gatehouse/

.PHONY: install
