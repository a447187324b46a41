-- A description that stands in several files: what they make together, as one document; NULL where the imported file is all.
ALTER TABLE api_document ADD COLUMN bundled BLOB;
