-- What people answered, as they signed it: the id is that of the line of the log that holds its hash.
CREATE TABLE evidence (
    id TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, owner TEXT NOT NULL, state TEXT NOT NULL,
    kept_until INTEGER, body BLOB NOT NULL
) STRICT;
CREATE INDEX evidence_owner ON evidence (owner);

-- Requests that ran out, or whose end has yet to come into the history.
CREATE INDEX action_state ON action (state, kept_until);
