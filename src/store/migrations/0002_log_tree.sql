-- The log as a tree (RFC 9162): each entry keeps the hashes of the subtrees that end with it. The program before writes
-- none; then they are made from the entries when a proof asks for them.
ALTER TABLE log_entry ADD COLUMN subtrees BLOB NOT NULL DEFAULT x'';

-- Signed heads: the id is the number of entries. Public, so the body is no secret.
CREATE TABLE log_head (
    id TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, owner TEXT NOT NULL, state TEXT NOT NULL,
    kept_until INTEGER, body BLOB NOT NULL
) STRICT;
CREATE TRIGGER log_head_is_never_removed BEFORE DELETE ON log_head
    BEGIN SELECT raise(ABORT, 'signed heads stay'); END;
CREATE TRIGGER log_head_is_never_changed BEFORE UPDATE ON log_head
    BEGIN SELECT raise(ABORT, 'signed heads stay'); END;
