-- Whose open request it is, while it is open: a phone asks for its own at each login, and finished ones stay for an hour.
ALTER TABLE action ADD COLUMN open_of BLOB;
UPDATE action SET open_of = CAST(owner AS BLOB)
    WHERE state IN ('waiting', 'waiting_first', 'shown', 'returning');
CREATE INDEX action_open_of ON action (open_of) WHERE open_of IS NOT NULL;
