-- What differs between environments, by name: addresses of backends, which promotion looks up. JSON: [{"name", "value"}].
ALTER TABLE environment ADD COLUMN variables TEXT NOT NULL DEFAULT '[]';
