-- Where phones take notifications; the id is the phone's.

CREATE TABLE push_subscription (
    id TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, owner TEXT NOT NULL, state TEXT NOT NULL,
    kept_until INTEGER, body BLOB NOT NULL
) STRICT;
CREATE INDEX push_subscription_owner ON push_subscription (owner);
