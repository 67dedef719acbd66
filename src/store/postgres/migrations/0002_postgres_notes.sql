-- What background work has to remember: small texts by name, each with the number of its writing.
CREATE TABLE note (name bytea PRIMARY KEY, revision int8 NOT NULL, text bytea NOT NULL);
