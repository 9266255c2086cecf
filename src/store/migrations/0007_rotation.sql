-- The word of a data key says which master key wraps it: a rotation looks for the others.
CREATE INDEX data_key_state ON data_key (state);
