# `make install`: PREFIX (/usr/local) and DESTDIR as usual.
INSTALL := install
SHARE := $(DESTDIR)$(PREFIX)/share/gatehouse

DOC := $(DESTDIR)$(PREFIX)/share/doc/gatehouse

install: all assets install-docs
	$(INSTALL) -d $(DESTDIR)$(PREFIX)/bin $(SHARE)
	$(INSTALL) -m 755 $(BINS) $(DESTDIR)$(PREFIX)/bin
	cp -R templates www deploy $(SHARE)/

# what stands in docs/ of the tree stands beside the README here, and deploy/ in share/gatehouse
install-docs:
	$(INSTALL) -d $(DOC)
	cp -R docs/. README.md CHANGELOG.md $(DOC)/
	sed -i -e 's|](docs/|](|g' -e 's|](deploy/|](../../gatehouse/deploy/|g' $(DOC)/README.md $(DOC)/CHANGELOG.md

.PHONY: install install-docs
