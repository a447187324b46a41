-- What a backend's TLS must be like, beside verify_tls and verify_name.
ALTER TABLE backend ADD COLUMN tls_server_name TEXT;     -- asked for (SNI) and checked in place of the URL's host
ALTER TABLE backend ADD COLUMN tls_min_version TEXT CHECK (tls_min_version IN ('1.2', '1.3'));
ALTER TABLE backend ADD COLUMN tls_pins TEXT;            -- 'sha256//BASE64;sha256//BASE64': public keys, one of which it has

-- Authorities that a backend's certificate is checked against in place of the system's.
CREATE TABLE backend_authority (
	backend_id TEXT NOT NULL REFERENCES backend (id) ON DELETE CASCADE,
	certificate_id TEXT NOT NULL REFERENCES certificate (id),
	PRIMARY KEY (backend_id, certificate_id)
) STRICT;
CREATE INDEX backend_authority_certificate ON backend_authority (certificate_id);
