-- Every table of records has the same shape: what it is looked up by stands in columns, the rest in an encrypted body.
-- Rows keep the order in which they were inserted (rowid).

CREATE TABLE data_key (
    id TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, owner TEXT NOT NULL, state TEXT NOT NULL,
    kept_until INTEGER, body BLOB NOT NULL
) STRICT;
CREATE INDEX data_key_kept_until ON data_key (kept_until) WHERE kept_until IS NOT NULL;

CREATE TABLE account (
    id TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, owner TEXT NOT NULL, state TEXT NOT NULL,
    kept_until INTEGER, body BLOB NOT NULL,
    phone_number BLOB UNIQUE, national_number BLOB UNIQUE
) STRICT;

CREATE TABLE device (
    id TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, owner TEXT NOT NULL, state TEXT NOT NULL,
    kept_until INTEGER, body BLOB NOT NULL
) STRICT;
CREATE INDEX device_owner ON device (owner);

CREATE TABLE contract (
    id TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, owner TEXT NOT NULL, state TEXT NOT NULL,
    kept_until INTEGER, body BLOB NOT NULL
) STRICT;
CREATE INDEX contract_owner ON contract (owner);

CREATE TABLE enrolment (
    id TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, owner TEXT NOT NULL, state TEXT NOT NULL,
    kept_until INTEGER, body BLOB NOT NULL,
    browser BLOB, ticket BLOB, reader_session BLOB, phone_session BLOB, phone_number BLOB
) STRICT;
CREATE INDEX enrolment_kept_until ON enrolment (kept_until) WHERE kept_until IS NOT NULL;
CREATE INDEX enrolment_browser ON enrolment (browser) WHERE browser IS NOT NULL;
CREATE INDEX enrolment_ticket ON enrolment (ticket) WHERE ticket IS NOT NULL;
CREATE INDEX enrolment_reader_session ON enrolment (reader_session) WHERE reader_session IS NOT NULL;
CREATE INDEX enrolment_phone_session ON enrolment (phone_session) WHERE phone_session IS NOT NULL;
CREATE INDEX enrolment_phone_number ON enrolment (phone_number) WHERE phone_number IS NOT NULL;

CREATE TABLE action (
    id TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, owner TEXT NOT NULL, state TEXT NOT NULL,
    kept_until INTEGER, body BLOB NOT NULL
) STRICT;
CREATE INDEX action_kept_until ON action (kept_until) WHERE kept_until IS NOT NULL;
CREATE INDEX action_owner ON action (owner);

CREATE TABLE sign_in (
    id TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, owner TEXT NOT NULL, state TEXT NOT NULL,
    kept_until INTEGER, body BLOB NOT NULL
) STRICT;
CREATE INDEX sign_in_kept_until ON sign_in (kept_until) WHERE kept_until IS NOT NULL;

CREATE TABLE grant_ (
    id TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, owner TEXT NOT NULL, state TEXT NOT NULL,
    kept_until INTEGER, body BLOB NOT NULL,
    code BLOB UNIQUE, access_token BLOB UNIQUE
) STRICT;
CREATE INDEX grant_kept_until ON grant_ (kept_until) WHERE kept_until IS NOT NULL;
CREATE INDEX grant_owner ON grant_ (owner);

CREATE TABLE client (
    id TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, owner TEXT NOT NULL, state TEXT NOT NULL,
    kept_until INTEGER, body BLOB NOT NULL
) STRICT;

CREATE TABLE nonce (
    id TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, owner TEXT NOT NULL, state TEXT NOT NULL,
    kept_until INTEGER, body BLOB NOT NULL
) STRICT;
CREATE INDEX nonce_kept_until ON nonce (kept_until) WHERE kept_until IS NOT NULL;

CREATE TABLE counter (
    id TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, owner TEXT NOT NULL, state TEXT NOT NULL,
    kept_until INTEGER, body BLOB NOT NULL
) STRICT;
CREATE INDEX counter_kept_until ON counter (kept_until) WHERE kept_until IS NOT NULL;

-- The log: append-only, hash-chained. The body is the readable part, under the account's key.
CREATE TABLE log_entry (
    sequence INTEGER NOT NULL PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL,
    account BLOB NOT NULL, content BLOB NOT NULL, previous BLOB NOT NULL, hash BLOB NOT NULL,
    owner TEXT NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE INDEX log_entry_owner ON log_entry (owner, sequence);
CREATE TRIGGER log_entry_is_never_removed BEFORE DELETE ON log_entry
    BEGIN SELECT raise(ABORT, 'the log is append-only'); END;
CREATE TRIGGER log_entry_is_never_changed
    BEFORE UPDATE OF sequence, at, kind, id, account, content, previous, hash ON log_entry
    BEGIN SELECT raise(ABORT, 'the log is append-only'); END;
