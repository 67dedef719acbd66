-- The first form of the store in PostgreSQL: the tables of store/sqlite/migrations, read beside
-- store/postgres/README.md. A change of any table is a new file with the next number, never an
-- edit of this one. It runs in one transaction, with search_path = medulla.
--
-- shard: the low ten bits of the patient's (or the resource's own) rid, see docs/scale.md. Texts
-- are bytea: they compare as bytes on every machine, whatever locale the database was made with.

CREATE TABLE setting (name bytea PRIMARY KEY, value int8 NOT NULL);

-- One row: the last commit, the last number given to a resource (rid without its shard), the last
-- moment given. Who holds its lock commits; turn counts the groups.
CREATE TABLE state (
    one int4 PRIMARY KEY CHECK (one = 1),
    t int8 NOT NULL, rid int8 NOT NULL, updated int8 NOT NULL, turn int8 NOT NULL)
    WITH (fillfactor = 10);
INSERT INTO state VALUES (1, 0, 0, 0, 0);

-- One row a process that writes: its last turn, which tells after a lost connection whether the
-- group that was under way is committed.
CREATE TABLE node (
    id int8 PRIMARY KEY, turn int8 NOT NULL, seen timestamptz NOT NULL DEFAULT now())
    WITH (fillfactor = 10);

-- kind 0 = resource type, 1 = search parameter
CREATE TABLE name (
    kind int4 NOT NULL, text bytea NOT NULL, number int4 NOT NULL,
    PRIMARY KEY (kind, text), UNIQUE (kind, number));

-- keyed hash of "Type/id" (or of a URL that is referred to) -> rid. There may be no resource yet.
CREATE TABLE ident (hash int8 PRIMARY KEY, rid int8 NOT NULL);

-- Current versions. id: a byte 0 and 16 bytes for a UUID, else text. body: NULL when deleted.
-- rowset: the keys of all index rows of this resource (store/rowset.h).
CREATE TABLE resource (
    rid int8 NOT NULL, t int8 NOT NULL, updated int8 NOT NULL, patient int8,
    type int4 NOT NULL, version int4 NOT NULL, change int4 NOT NULL, key int4 NOT NULL,
    dictionary int4 NOT NULL, shard int2 NOT NULL, id bytea NOT NULL, hash bytea NOT NULL,
    rowset bytea, body bytea,
    PRIMARY KEY (rid, shard));
ALTER TABLE resource ALTER body SET STORAGE EXTERNAL, ALTER rowset SET STORAGE EXTERNAL;

-- Superseded versions.
CREATE TABLE version (
    rid int8 NOT NULL, t int8 NOT NULL, updated int8 NOT NULL, patient int8,
    version int4 NOT NULL, change int4 NOT NULL, key int4 NOT NULL, dictionary int4 NOT NULL,
    shard int2 NOT NULL, hash bytea NOT NULL, body bytea,
    PRIMARY KEY (rid, version, shard));
ALTER TABLE version ALTER body SET STORAGE EXTERNAL;

-- All versions ever made, in order; change 4 = physically removed since.
CREATE TABLE feed (
    t int8 NOT NULL, rid int8 NOT NULL, updated int8 NOT NULL, type int4 NOT NULL,
    version int4 NOT NULL, change int4 NOT NULL, shard int2 NOT NULL,
    PRIMARY KEY (t, rid, shard));
CREATE INDEX feed_type ON feed (type, t, rid);
CREATE INDEX feed_rid ON feed (rid);

-- The index: one table a search type. Each row is in its key, so that a scan need not look at the
-- table itself.
CREATE TABLE token (hash int8 NOT NULL, rid int8 NOT NULL, param int4 NOT NULL, shard int2 NOT NULL);
CREATE INDEX token_key ON token (param, hash, rid);
CREATE TABLE reference (
    target int8 NOT NULL, rid int8 NOT NULL, param int4 NOT NULL, shard int2 NOT NULL);
CREATE INDEX reference_key ON reference (target, param, rid);
CREATE TABLE date (
    low int8 NOT NULL, rid int8 NOT NULL,
    span int8 NOT NULL, -- high - low; high itself in the last class
    param int4 NOT NULL, class int2 NOT NULL, shard int2 NOT NULL);
CREATE INDEX date_key ON date (param, class, low, rid, span);
CREATE TABLE string (
    rid int8 NOT NULL, param int4 NOT NULL, shard int2 NOT NULL, folded bytea NOT NULL);
CREATE INDEX string_key ON string (param, folded, rid);
CREATE TABLE quantity (
    unit int8 NOT NULL, low float8 NOT NULL, rid int8 NOT NULL, high float8 NOT NULL,
    param int4 NOT NULL, shard int2 NOT NULL);
CREATE INDEX quantity_key ON quantity (param, unit, low, rid, high);
CREATE TABLE uri (rid int8 NOT NULL, param int4 NOT NULL, shard int2 NOT NULL, uri bytea NOT NULL);
CREATE INDEX uri_key ON uri (param, uri, rid);
CREATE TABLE updated (
    updated int8 NOT NULL, rid int8 NOT NULL, type int4 NOT NULL, shard int2 NOT NULL);
CREATE INDEX updated_key ON updated (type, updated, rid);
CREATE TABLE patient (
    patient int8 NOT NULL, moment int8 NOT NULL, rid int8 NOT NULL, type int4 NOT NULL,
    shard int2 NOT NULL);
CREATE INDEX patient_key ON patient (patient, type, moment, rid);
CREATE TABLE ptok (
    patient int8 NOT NULL, hash int8 NOT NULL, moment int8 NOT NULL, rid int8 NOT NULL,
    param int4 NOT NULL, shard int2 NOT NULL);
CREATE INDEX ptok_key ON ptok (patient, param, hash, moment, rid);
-- References that no search parameter covers: they only forbid to delete their target.
CREATE TABLE target (target int8 NOT NULL, rid int8 NOT NULL, shard int2 NOT NULL);
CREATE INDEX target_key ON target (target, rid);

-- What a token hash stands for, and how many rows it has. Counters with param 0 count current
-- resources of the type that is their hash, with param -1 versions of that type.
CREATE TABLE code (
    param int4 NOT NULL, hash int8 NOT NULL, system bytea NOT NULL, code bytea NOT NULL,
    text bytea NOT NULL,
    PRIMARY KEY (param, hash));
CREATE INDEX code_code ON code (param, sha256(code));
CREATE INDEX code_system ON code (param, sha256(system));
CREATE TABLE counter (
    param int4 NOT NULL, hash int8 NOT NULL, n int8 NOT NULL,
    PRIMARY KEY (param, hash)) WITH (fillfactor = 70);

CREATE TABLE idempotency (
    key int8 PRIMARY KEY, request int8 NOT NULL, at int8 NOT NULL, t int8 NOT NULL,
    updated int8 NOT NULL, outcomes bytea NOT NULL);
CREATE INDEX idempotency_at ON idempotency (at);

CREATE TABLE trace_out (
    seq int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, t int8 NOT NULL, record bytea NOT NULL);
CREATE TABLE outbox (
    seq int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, rid int8 NOT NULL, topic int4 NOT NULL,
    t int8 NOT NULL, body bytea NOT NULL);
CREATE INDEX outbox_rid ON outbox (rid);
CREATE TABLE deadline (
    due int8 NOT NULL, rid int8 NOT NULL, name int4 NOT NULL, PRIMARY KEY (due, rid, name));
CREATE INDEX deadline_rid ON deadline (rid);

-- What was purged: that it happened, nothing of what it was.
CREATE TABLE purged (
    t int8 NOT NULL, rid int8 NOT NULL, type int4 NOT NULL, versions int8 NOT NULL,
    updated int8 NOT NULL, PRIMARY KEY (t, rid));
