-- The first form of the store. Read beside store/sqlite/README.md; a change of any table is a
-- new file with the next number, never an edit of this one.

CREATE TABLE setting (name TEXT PRIMARY KEY, value) WITHOUT ROWID;

-- One row: the last commit, the last internal id given, the last moment given.
CREATE TABLE state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    t INTEGER NOT NULL, rid INTEGER NOT NULL, updated INTEGER NOT NULL);
INSERT INTO state VALUES (1, 0, 0, 0);

-- kind 0 = resource type, 1 = search parameter
CREATE TABLE name (
    kind INTEGER NOT NULL, text TEXT NOT NULL, number INTEGER NOT NULL,
    PRIMARY KEY (kind, text)) WITHOUT ROWID;

-- keyed hash of "Type/id" (or of a URL that is referred to) -> rid. There may be no resource yet.
CREATE TABLE ident (hash INTEGER PRIMARY KEY, rid INTEGER NOT NULL);

-- Current versions. id: 16 bytes for a UUID, else text. body: bytes, or a number in blob, or
-- NULL when deleted. rowset: the keys of all index rows of this resource (rowset.h).
CREATE TABLE resource (
    rid INTEGER PRIMARY KEY, type INTEGER NOT NULL, id NOT NULL,
    version INTEGER NOT NULL, t INTEGER NOT NULL, updated INTEGER NOT NULL,
    change INTEGER NOT NULL, patient INTEGER, key INTEGER NOT NULL,
    dictionary INTEGER NOT NULL, hash BLOB NOT NULL, body, rowset BLOB);

-- Superseded versions.
CREATE TABLE version (
    vid INTEGER PRIMARY KEY, rid INTEGER NOT NULL,
    version INTEGER NOT NULL, t INTEGER NOT NULL, updated INTEGER NOT NULL,
    change INTEGER NOT NULL, patient INTEGER, key INTEGER NOT NULL,
    dictionary INTEGER NOT NULL, hash BLOB NOT NULL, body);
CREATE UNIQUE INDEX version_rid ON version (rid, version);

CREATE TABLE blob (id INTEGER PRIMARY KEY, body BLOB NOT NULL);

-- All versions ever made, in order; change 4 = physically removed since.
CREATE TABLE feed (
    t INTEGER NOT NULL, rid INTEGER NOT NULL, type INTEGER NOT NULL, version INTEGER NOT NULL,
    change INTEGER NOT NULL, updated INTEGER NOT NULL,
    PRIMARY KEY (t, rid)) WITHOUT ROWID;
CREATE INDEX feed_type ON feed (type, t, rid);

-- The index: one table a search type, the key is the row.
CREATE TABLE token (
    param INTEGER NOT NULL, hash INTEGER NOT NULL, rid INTEGER NOT NULL,
    PRIMARY KEY (param, hash, rid)) WITHOUT ROWID;
CREATE TABLE reference (
    target INTEGER NOT NULL, param INTEGER NOT NULL, rid INTEGER NOT NULL,
    PRIMARY KEY (target, param, rid)) WITHOUT ROWID;
CREATE TABLE date (
    param INTEGER NOT NULL, class INTEGER NOT NULL, low INTEGER NOT NULL, rid INTEGER NOT NULL,
    span INTEGER NOT NULL, -- high - low; high itself in the last class
    PRIMARY KEY (param, class, low, rid, span)) WITHOUT ROWID;
CREATE TABLE string (
    param INTEGER NOT NULL, folded TEXT NOT NULL, rid INTEGER NOT NULL,
    PRIMARY KEY (param, folded, rid)) WITHOUT ROWID;
CREATE TABLE quantity (
    param INTEGER NOT NULL, unit INTEGER NOT NULL, low REAL NOT NULL, rid INTEGER NOT NULL,
    high REAL NOT NULL,
    PRIMARY KEY (param, unit, low, rid, high)) WITHOUT ROWID;
CREATE TABLE uri (
    param INTEGER NOT NULL, uri TEXT NOT NULL, rid INTEGER NOT NULL,
    PRIMARY KEY (param, uri, rid)) WITHOUT ROWID;
CREATE TABLE updated (
    type INTEGER NOT NULL, updated INTEGER NOT NULL, rid INTEGER NOT NULL,
    PRIMARY KEY (type, updated, rid)) WITHOUT ROWID;
CREATE TABLE patient (
    patient INTEGER NOT NULL, type INTEGER NOT NULL, moment INTEGER NOT NULL,
    rid INTEGER NOT NULL,
    PRIMARY KEY (patient, type, moment, rid)) WITHOUT ROWID;
CREATE TABLE ptok (
    patient INTEGER NOT NULL, param INTEGER NOT NULL, hash INTEGER NOT NULL,
    moment INTEGER NOT NULL, rid INTEGER NOT NULL,
    PRIMARY KEY (patient, param, hash, moment, rid)) WITHOUT ROWID;
-- References that no search parameter covers: they only forbid to delete their target.
CREATE TABLE target (
    target INTEGER NOT NULL, rid INTEGER NOT NULL,
    PRIMARY KEY (target, rid)) WITHOUT ROWID;

-- What a token hash stands for, and how many rows it has. Counters with param 0 count current
-- resources of the type that is their hash, with param -1 versions of that type.
CREATE TABLE code (
    param INTEGER NOT NULL, hash INTEGER NOT NULL, system TEXT NOT NULL, code TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (param, hash)) WITHOUT ROWID;
CREATE INDEX code_code ON code (param, code, system);
CREATE INDEX code_system ON code (param, system);
CREATE TABLE counter (
    param INTEGER NOT NULL, hash INTEGER NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (param, hash)) WITHOUT ROWID;

CREATE TABLE idempotency (
    key INTEGER PRIMARY KEY, request INTEGER NOT NULL, at INTEGER NOT NULL, t INTEGER NOT NULL,
    updated INTEGER NOT NULL, outcomes BLOB NOT NULL);
CREATE INDEX idempotency_at ON idempotency (at);

CREATE TABLE trace_out (seq INTEGER PRIMARY KEY AUTOINCREMENT, t INTEGER NOT NULL, record BLOB NOT NULL);
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, rid INTEGER NOT NULL, topic INTEGER NOT NULL,
    t INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX outbox_rid ON outbox (rid);
CREATE TABLE deadline (
    due INTEGER NOT NULL, rid INTEGER NOT NULL, name INTEGER NOT NULL,
    PRIMARY KEY (due, rid, name)) WITHOUT ROWID;
CREATE INDEX deadline_rid ON deadline (rid);

-- What was purged: that it happened, nothing of what it was.
CREATE TABLE purged (t INTEGER NOT NULL, rid INTEGER NOT NULL, type INTEGER NOT NULL,
    versions INTEGER NOT NULL, updated INTEGER NOT NULL,
    PRIMARY KEY (t, rid)) WITHOUT ROWID;
