-- What is remembered of numbers that were typed (D5), and what holders agreed to share (D4).
CREATE TABLE number_trace (
    id TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, owner TEXT NOT NULL, state TEXT NOT NULL,
    kept_until INTEGER, body BLOB NOT NULL
) STRICT;
CREATE INDEX number_trace_kept_until ON number_trace (kept_until) WHERE kept_until IS NOT NULL;

CREATE TABLE consent (
    id TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, owner TEXT NOT NULL, state TEXT NOT NULL,
    kept_until INTEGER, body BLOB NOT NULL
) STRICT;
CREATE INDEX consent_owner ON consent (owner);
