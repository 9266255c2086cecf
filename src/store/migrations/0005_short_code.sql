-- What the page of a sign-in shows to be typed on a phone, as a keyed hash, while it is offered.
ALTER TABLE sign_in ADD COLUMN short_code BLOB;
CREATE UNIQUE INDEX sign_in_short_code ON sign_in (short_code) WHERE short_code IS NOT NULL;
