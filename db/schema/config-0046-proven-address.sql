-- The address that the account was made for, or that its owner has answered a mail at. Somebody else may write another one into the account; then
-- who owns that has proven nothing here yet.
ALTER TABLE user_account ADD COLUMN proven_email TEXT NOT NULL DEFAULT '';
UPDATE user_account SET proven_email = email;
