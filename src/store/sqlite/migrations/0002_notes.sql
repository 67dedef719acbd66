-- What background work has to remember: small texts by name, each with the number of its writing.
CREATE TABLE note (
    name TEXT PRIMARY KEY, revision INTEGER NOT NULL, text TEXT NOT NULL) WITHOUT ROWID;
