-- Index rows of small commits are merged into their tables later (deferred.h). `merged`: all rows
-- of commits up to it are there. `unmerged`: of what was changed or deleted since, the rows it
-- had before, as in resource.rowset; `key` is the key that list is checked with.
ALTER TABLE state ADD COLUMN merged INTEGER NOT NULL DEFAULT 0;
UPDATE state SET merged = t;
CREATE TABLE unmerged (
    t INTEGER NOT NULL, rid INTEGER NOT NULL, type INTEGER NOT NULL, updated INTEGER NOT NULL,
    key INTEGER NOT NULL, rowset BLOB,
    PRIMARY KEY (t, rid)) WITHOUT ROWID;
