-- A personal token may see to the account itself: its password, second factor, passkeys, tokens, its end.
ALTER TABLE personal_token ADD COLUMN may_manage INTEGER NOT NULL DEFAULT 0 CHECK (may_manage IN (0, 1));
