/* statement.h - every SQL statement of the store, by name. Private to store/sqlite/.
 *
 * They are literals: nothing a caller gave ever becomes part of a statement's text. Scans come
 * in pairs (ascending, descending); a scan starts strictly behind (value, rid), so that one
 * statement serves the first page and every later one. */
#ifndef MED_STORE_SQLITE_STATEMENT_H
#define MED_STORE_SQLITE_STATEMENT_H

#define RESOURCE_COLUMNS                                                                           \
    "r.rid, r.type, r.id, r.version, r.t, r.updated, r.change, r.patient, r.key, r.dictionary, "   \
    "r.hash, r.body"
#define VERSION_COLUMNS                                                                            \
    "r.rid, r.type, r.id, v.version, v.t, v.updated, v.change, v.patient, v.key, v.dictionary, "   \
    "v.hash, v.body"

#define PENDING_RANGE " WHERE list = ?1 AND start = ?2 AND end = ?3"

#define STATEMENTS(X)                                                                              \
    X(BEGIN, "BEGIN")                                                                              \
    X(BEGIN_WRITE, "BEGIN IMMEDIATE")                                                              \
    X(COMMIT, "COMMIT")                                                                            \
    X(ROLLBACK, "ROLLBACK")                                                                        \
    /* reading */                                                                                  \
    X(READ, "SELECT " RESOURCE_COLUMNS " FROM ident i CROSS JOIN resource r ON r.rid = i.rid"      \
            " WHERE i.hash = ?1")                                                                  \
    X(READ_RID, "SELECT " RESOURCE_COLUMNS ", r.rowset FROM resource r WHERE r.rid = ?1")          \
    X(READ_ROWS, "SELECT " RESOURCE_COLUMNS ", r.rowset FROM resource r WHERE r.rid = ?1")         \
    X(READ_VERSION, "SELECT " VERSION_COLUMNS " FROM version v CROSS JOIN resource r"              \
                    " ON r.rid = v.rid WHERE v.rid = ?1 AND v.version = ?2")                       \
    X(CHANGE, "SELECT change FROM resource WHERE rid = ?1")                                        \
    X(READ_BLOB, "SELECT body FROM blob WHERE id = ?1")                                            \
    X(READ_PART, "SELECT bytes FROM part WHERE hash = ?1 LIMIT 1")                                 \
    X(HAS_NEW_PARTS, "SELECT 1 FROM part_new WHERE id > 0 LIMIT 1")                                \
    X(IDENT, "SELECT rid FROM ident WHERE hash = ?1")                                              \
    X(STATE, "SELECT t, rid, updated, merged FROM state WHERE one = 1")                            \
    X(NAMES, "SELECT kind, text, number FROM name ORDER BY kind, number")                          \
    X(NOTES, "SELECT name, revision, text FROM note ORDER BY name LIMIT 1024")                     \
    X(EPOCH, "SELECT revision FROM note WHERE name = 'parameters'")                                \
    X(SETTING, "SELECT value FROM setting WHERE name = ?1")                                        \
    X(COUNT_DICTIONARIES, "SELECT count(*) FROM setting WHERE name GLOB 'dictionary_*'")           \
    X(VERSIONS_OF, "SELECT " VERSION_COLUMNS " FROM version v CROSS JOIN resource r"               \
                   " ON r.rid = v.rid WHERE v.rid = ?1 AND v.version < ?2"                         \
                   " ORDER BY v.version DESC")                                                     \
    X(VERSIONS_OF_UP, "SELECT " VERSION_COLUMNS " FROM version v CROSS JOIN resource r"            \
                      " ON r.rid = v.rid WHERE v.rid = ?1 AND v.version > ?2"                      \
                      " ORDER BY v.version ASC")                                                   \
    X(VERSIONS_COUNT, "SELECT (SELECT count(*) FROM version WHERE rid = ?1"                        \
                      " AND updated BETWEEN ?2 AND ?3) + (SELECT count(*) FROM resource"           \
                      " WHERE rid = ?1 AND updated BETWEEN ?2 AND ?3)")                            \
    X(FEED_DOWN, "SELECT t, rid, version, change, updated FROM feed"                               \
                 " WHERE (t, rid) < (?1, ?2) AND t >= ?3 ORDER BY t DESC, rid DESC")               \
    X(FEED_UP, "SELECT t, rid, version, change, updated FROM feed"                                 \
               " WHERE (t, rid) > (?1, ?2) AND t <= ?3 ORDER BY t, rid")                           \
    X(FEED_TYPE_DOWN, "SELECT f.t, f.rid, f.version, f.change, f.updated FROM feed f"              \
                      " INDEXED BY feed_type WHERE f.type = ?4 AND (f.t, f.rid) < (?1, ?2)"        \
                      " AND f.t >= ?3 ORDER BY f.t DESC, f.rid DESC")                              \
    X(FEED_TYPE_UP, "SELECT f.t, f.rid, f.version, f.change, f.updated FROM feed f"                \
                    " INDEXED BY feed_type WHERE f.type = ?4 AND (f.t, f.rid) > (?1, ?2)"          \
                    " AND f.t <= ?3 ORDER BY f.t, f.rid")                                          \
    X(FEED_COUNT, "SELECT count(*) FROM feed WHERE t BETWEEN ?1 AND ?2 AND change <> 4")           \
    X(FEED_TYPE_COUNT, "SELECT count(*) FROM feed f INDEXED BY feed_type WHERE f.type = ?3"        \
                       " AND f.t BETWEEN ?1 AND ?2 AND f.change <> 4")                             \
    X(FEED_MOMENT, "SELECT t, updated FROM feed WHERE t >= ?1 ORDER BY t LIMIT 1")                 \
    X(FEED_VERSION, "SELECT version FROM feed WHERE t = ?1 AND rid = ?2")                          \
    X(COUNTER, "SELECT n FROM counter WHERE param = ?1 AND hash = ?2")                             \
    X(COUNTER_SUM, "SELECT sum(n) FROM counter WHERE param = ?1")                                  \
    X(TOKEN_COUNT, "SELECT count(*) FROM token WHERE param = ?1 AND hash = ?2")                    \
    X(CODES_BY_CODE, "SELECT hash FROM code WHERE param = ?1 AND code = ?2")                       \
    X(CODES_BY_SYSTEM, "SELECT hash FROM code WHERE param = ?1 AND system = ?2")                   \
    X(CODES_BY_BOTH, "SELECT hash FROM code WHERE param = ?1 AND code = ?2 AND system = ?3")       \
    X(REFERRERS, "SELECT rid, param FROM reference WHERE target = ?1"                              \
                 " UNION ALL SELECT rid, -1 FROM target WHERE target = ?1")                        \
    /* after a crash: what versions since ?1 were, and what they are now */                        \
    X(UNMERGED_OLD, "SELECT rid, type, updated, key, rowset FROM unmerged WHERE t > ?1")           \
    X(UNMERGED_IDS, "SELECT rid, type, id FROM resource"                                           \
                    " WHERE rid IN (SELECT rid FROM feed WHERE t > ?1)")                           \
    X(UNMERGED_NOW, "SELECT rid, type, updated, key, rowset FROM resource WHERE change <> 3"       \
                    " AND rid IN (SELECT rid FROM feed WHERE t > ?1)")                             \
    X(NEXT_TARGET, "SELECT min(target) FROM (SELECT min(target) AS target FROM reference"          \
                   " WHERE target > ?1 UNION ALL SELECT min(target) FROM target"                   \
                   " WHERE target > ?1)")                                                          \
    X(IS_NAMED,                                                                                    \
      "SELECT 1 FROM reference WHERE target = ?1 UNION ALL SELECT 1 FROM target WHERE target = ?1" \
      " UNION ALL SELECT 1 FROM patient WHERE patient = ?1 LIMIT 1")                               \
    X(HAS_TOKEN, "SELECT 1 FROM token WHERE param = ?1 AND hash = ?2 AND rid = ?3")                \
    X(HAS_REFERENCE, "SELECT 1 FROM reference WHERE param = ?1 AND target = ?2 AND rid = ?3")      \
    /* scans: ?1 ?2 the key, then the start, then the end */                                       \
    X(TOKEN_UP, "SELECT rid FROM token WHERE param = ?1 AND hash = ?2 AND rid > ?3"                \
                " ORDER BY rid")                                                                   \
    X(TOKEN_DOWN, "SELECT rid FROM token WHERE param = ?1 AND hash = ?2 AND rid < ?3"              \
                  " ORDER BY rid DESC")                                                            \
    X(REFERENCE_UP, "SELECT rid FROM reference WHERE param = ?1 AND target = ?2 AND rid > ?3"      \
                    " ORDER BY rid")                                                               \
    X(REFERENCE_DOWN, "SELECT rid FROM reference WHERE param = ?1 AND target = ?2 AND rid < ?3"    \
                      " ORDER BY rid DESC")                                                        \
    X(DATE_UP, "SELECT rid, low, span FROM date WHERE param = ?1 AND class = ?2"                   \
               " AND (low, rid) > (?3, ?4) AND low <= ?5 ORDER BY low, rid")                       \
    X(DATE_DOWN, "SELECT rid, low, span FROM date WHERE param = ?1 AND class = ?2"                 \
                 " AND (low, rid) < (?3, ?4) AND low >= ?5 ORDER BY low DESC, rid DESC")           \
    X(STRING_UP, "SELECT rid, folded FROM string WHERE param = ?1"                                 \
                 " AND (folded, rid) > (?3, ?4) AND folded < ?5 ORDER BY folded, rid")             \
    X(STRING_DOWN, "SELECT rid, folded FROM string WHERE param = ?1"                               \
                   " AND (folded, rid) < (?3, ?4) AND folded >= ?5"                                \
                   " ORDER BY folded DESC, rid DESC")                                              \
    X(QUANTITY_UP, "SELECT rid, low, high FROM quantity WHERE param = ?1 AND unit = ?2"            \
                   " AND (low, rid) > (?3, ?4) AND low <= ?5 ORDER BY low, rid")                   \
    X(QUANTITY_DOWN, "SELECT rid, low, high FROM quantity WHERE param = ?1 AND unit = ?2"          \
                     " AND (low, rid) < (?3, ?4) AND low >= ?5 ORDER BY low DESC, rid DESC")       \
    X(URI_UP, "SELECT rid, uri FROM uri WHERE param = ?1"                                          \
              " AND (uri, rid) > (?3, ?4) AND uri < ?5 ORDER BY uri, rid")                         \
    X(URI_DOWN, "SELECT rid, uri FROM uri WHERE param = ?1"                                        \
                " AND (uri, rid) < (?3, ?4) AND uri >= ?5 ORDER BY uri DESC, rid DESC")            \
    X(UPDATED_UP, "SELECT rid, updated FROM updated WHERE type = ?1"                               \
                  " AND (updated, rid) > (?3, ?4) AND updated <= ?5 ORDER BY updated, rid")        \
    X(UPDATED_DOWN, "SELECT rid, updated FROM updated WHERE type = ?1"                             \
                    " AND (updated, rid) < (?3, ?4) AND updated >= ?5"                             \
                    " ORDER BY updated DESC, rid DESC")                                            \
    X(PATIENT_UP, "SELECT rid, moment FROM patient WHERE patient = ?1 AND type = ?2"               \
                  " AND (moment, rid) > (?3, ?4) AND moment <= ?5 ORDER BY moment, rid")           \
    X(PATIENT_DOWN, "SELECT rid, moment FROM patient WHERE patient = ?1 AND type = ?2"             \
                    " AND (moment, rid) < (?3, ?4) AND moment >= ?5"                               \
                    " ORDER BY moment DESC, rid DESC")                                             \
    X(PATIENT_ALL_UP, "SELECT rid, moment FROM patient WHERE patient = ?1"                         \
                      " AND (moment, rid) > (?3, ?4) AND moment <= ?5 ORDER BY moment, rid")       \
    X(PATIENT_ALL_DOWN, "SELECT rid, moment FROM patient WHERE patient = ?1"                       \
                        " AND (moment, rid) < (?3, ?4) AND moment >= ?5"                           \
                        " ORDER BY moment DESC, rid DESC")                                         \
    X(PTOK_UP, "SELECT rid, moment FROM ptok WHERE patient = ?1 AND param = ?2 AND hash = ?6"      \
               " AND (moment, rid) > (?3, ?4) AND moment <= ?5 ORDER BY moment, rid")              \
    X(PTOK_DOWN, "SELECT rid, moment FROM ptok WHERE patient = ?1 AND param = ?2 AND hash = ?6"    \
                 " AND (moment, rid) < (?3, ?4) AND moment >= ?5"                                  \
                 " ORDER BY moment DESC, rid DESC")                                                \
    /* verify: is this index row there, and what index rows are there behind a key */              \
    X(HAS_DATE, "SELECT 1 FROM date WHERE param = ?1 AND class = ?2 AND low = ?3 AND rid = ?4"     \
                " AND span = ?5")                                                                  \
    X(HAS_STRING, "SELECT 1 FROM string WHERE param = ?1 AND folded = ?2 AND rid = ?3")            \
    X(HAS_QUANTITY, "SELECT 1 FROM quantity WHERE param = ?1 AND unit = ?2 AND low = ?3"           \
                    " AND rid = ?4 AND high = ?5")                                                 \
    X(HAS_URI, "SELECT 1 FROM uri WHERE param = ?1 AND uri = ?2 AND rid = ?3")                     \
    X(HAS_UPDATED, "SELECT 1 FROM updated WHERE type = ?1 AND updated = ?2 AND rid = ?3")          \
    X(HAS_PATIENT, "SELECT 1 FROM patient WHERE patient = ?1 AND type = ?2 AND moment = ?3"        \
                   " AND rid = ?4")                                                                \
    X(HAS_PTOK, "SELECT 1 FROM ptok WHERE patient = ?1 AND param = ?2 AND hash = ?3"               \
                " AND moment = ?4 AND rid = ?5")                                                   \
    X(HAS_TARGET, "SELECT 1 FROM target WHERE target = ?1 AND rid = ?2")                           \
    X(HAS_REFERENCE_ROW, "SELECT 1 FROM reference WHERE target = ?1 AND param = ?2 AND rid = ?3")  \
    X(ALL_TOKEN, "SELECT param, hash, rid FROM token WHERE (param, hash, rid) > (?1, ?2, ?3)"      \
                 " ORDER BY param, hash, rid LIMIT 1000")                                          \
    X(ALL_REFERENCE, "SELECT target, param, rid FROM reference"                                    \
                     " WHERE (target, param, rid) > (?1, ?2, ?3)"                                  \
                     " ORDER BY target, param, rid LIMIT 1000")                                    \
    X(ALL_DATE, "SELECT param, class, low, rid, span FROM date"                                    \
                " WHERE (param, class, low, rid, span) > (?1, ?2, ?3, ?4, ?5)"                     \
                " ORDER BY param, class, low, rid, span LIMIT 1000")                               \
    X(ALL_STRING,                                                                                  \
      "SELECT param, folded, rid FROM string WHERE (param, folded, rid) > (?1, ?2, ?3)"            \
      " ORDER BY param, folded, rid LIMIT 1000")                                                   \
    X(ALL_QUANTITY, "SELECT param, unit, low, rid, high FROM quantity"                             \
                    " WHERE (param, unit, low, rid, high) > (?1, ?2, ?3, ?4, ?5)"                  \
                    " ORDER BY param, unit, low, rid, high LIMIT 1000")                            \
    X(ALL_URI, "SELECT param, uri, rid FROM uri WHERE (param, uri, rid) > (?1, ?2, ?3)"            \
               " ORDER BY param, uri, rid LIMIT 1000")                                             \
    X(ALL_UPDATED, "SELECT type, updated, rid FROM updated"                                        \
                   " WHERE (type, updated, rid) > (?1, ?2, ?3)"                                    \
                   " ORDER BY type, updated, rid LIMIT 1000")                                      \
    X(ALL_PATIENT, "SELECT patient, type, moment, rid FROM patient"                                \
                   " WHERE (patient, type, moment, rid) > (?1, ?2, ?3, ?4)"                        \
                   " ORDER BY patient, type, moment, rid LIMIT 1000")                              \
    X(ALL_PTOK, "SELECT patient, param, hash, moment, rid FROM ptok"                               \
                " WHERE (patient, param, hash, moment, rid) > (?1, ?2, ?3, ?4, ?5)"                \
                " ORDER BY patient, param, hash, moment, rid LIMIT 1000")                          \
    X(ALL_TARGET, "SELECT target, rid FROM target WHERE (target, rid) > (?1, ?2)"                  \
                  " ORDER BY target, rid LIMIT 1000")                                              \
    X(ALL_RESOURCES, "SELECT " RESOURCE_COLUMNS ", r.rowset FROM resource r WHERE r.rid > ?1"      \
                     " ORDER BY r.rid LIMIT 200")                                                  \
    X(ALL_COUNTERS, "SELECT param, hash, n FROM counter WHERE (param, hash) > (?1, ?2)"            \
                    " ORDER BY param, hash LIMIT 200")                                             \
    X(USES_OF, "SELECT hash FROM part_use WHERE rid = ?1 AND version = ?2 ORDER BY hash")          \
    X(ALL_USES, "SELECT u.rid, u.version, u.hash, EXISTS (SELECT 1 FROM resource r"                \
                " WHERE r.rid = u.rid AND r.version = u.version) OR EXISTS (SELECT 1"              \
                " FROM version v WHERE v.rid = u.rid AND v.version = u.version)"                   \
                " FROM part_use u WHERE (u.rid, u.version, u.hash) > (?1, ?2, ?3)"                 \
                " ORDER BY u.rid, u.version, u.hash LIMIT 1000")                                   \
    X(ALL_PARTS, "SELECT p.id, p.hash, p.bytes, EXISTS (SELECT 1 FROM part_use u"                  \
                 " WHERE u.hash = p.hash) FROM part p WHERE p.id > ?1 ORDER BY p.id LIMIT 100")    \
    X(UPDATED_COUNT, "SELECT count(*) FROM updated WHERE type = ?1")                               \
    X(QUICK_CHECK, "PRAGMA quick_check(1)")                                                        \
    /* writing */                                                                                  \
    X(SET_STATE, "UPDATE state SET t = ?1, rid = ?2, updated = ?3, merged = ?4"                    \
                 " WHERE one = 1")                                                                 \
    X(SET_SETTING, "INSERT INTO setting VALUES (?1, ?2)"                                           \
                   " ON CONFLICT (name) DO UPDATE SET value = excluded.value")                     \
    X(ADD_NOTE, "INSERT INTO note VALUES (?1, ?2 + 1, ?3) ON CONFLICT (name) DO NOTHING")          \
    X(SET_NOTE, "UPDATE note SET revision = revision + 1, text = ?3"                               \
                " WHERE name = ?1 AND revision = ?2")                                              \
    X(DROP_NOTE, "DELETE FROM note WHERE name = ?1 AND revision = ?2")                             \
    X(SET_ROWSET, "UPDATE resource SET rowset = ?2 WHERE rid = ?1")                                \
    X(ADD_NAME, "INSERT OR IGNORE INTO name (kind, text, number) VALUES (?1, ?2, ?3)")             \
    X(DROP_IDENT, "DELETE FROM ident WHERE hash = ?1 AND rid = ?2 AND NOT EXISTS (SELECT 1 FROM "  \
                  "resource WHERE resource.rid = ident.rid)")                                      \
    X(ADD_RESOURCE, "INSERT INTO resource (rid, type, id, version, t, updated, change, patient,"   \
                    " key, dictionary, hash, body, rowset)"                                        \
                    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)")            \
    X(SET_RESOURCE, "UPDATE resource SET version = ?4, t = ?5, updated = ?6, change = ?7,"         \
                    " patient = ?8, key = ?9, dictionary = ?10, hash = ?11, body = ?12,"           \
                    " rowset = ?13 WHERE rid = ?1")                                                \
    X(KEEP_VERSION, "INSERT INTO version (rid, version, t, updated, change, patient, key,"         \
                    " dictionary, hash, body)"                                                     \
                    " SELECT rid, version, t, updated, change, patient, key, dictionary, hash,"    \
                    " body FROM resource WHERE rid = ?1")                                          \
    X(ADD_BLOB, "INSERT INTO blob (body) VALUES (?1)")                                             \
    X(DROP_BLOBS, "DELETE FROM blob WHERE id IN"                                                   \
                  " (SELECT body FROM resource WHERE rid = ?1 AND typeof(body) = 'integer'"        \
                  " UNION ALL SELECT body FROM version WHERE rid = ?1"                             \
                  " AND typeof(body) = 'integer')")                                                \
    /* part_new: rows of part that may be there already; see parts.c */                            \
    X(ADD_PART, "INSERT INTO part (hash, bytes) VALUES (?1, ?2)")                                  \
    X(ADD_NEW_PART, "INSERT OR IGNORE INTO part_new VALUES (last_insert_rowid())")                 \
    X(ADD_USE, "INSERT OR IGNORE INTO part_use VALUES (?1, ?2, ?3)")                               \
    X(FOLD_PARTS,                                                                                  \
      "DELETE FROM part WHERE id IN (SELECT id FROM part_new WHERE id > 0 ORDER BY id LIMIT 16)"   \
      " AND EXISTS (SELECT 1 FROM part o WHERE o.hash = part.hash"                                 \
      " AND o.id < part.id)")                                                                      \
    X(FOLD_NEW, "DELETE FROM part_new WHERE id IN (SELECT id FROM part_new WHERE id > 0 ORDER BY " \
                "id LIMIT 16)")                                                                    \
    X(DROP_PARTS, "DELETE FROM part WHERE id IN (SELECT p.id FROM part_use u JOIN part p"          \
                  " ON p.hash = u.hash WHERE u.rid = ?1 AND NOT EXISTS (SELECT 1 FROM part_use o"  \
                  " WHERE o.hash = u.hash AND o.rid <> ?1))")                                      \
    X(DROP_USES, "DELETE FROM part_use WHERE rid = ?1")                                            \
    X(PURGE_FEED, "UPDATE feed SET change = 4 WHERE rid = ?1 AND t IN"                             \
                  " (SELECT t FROM version WHERE rid = ?1 UNION ALL"                               \
                  " SELECT t FROM resource WHERE rid = ?1)")                                       \
    X(DROP_VERSIONS, "DELETE FROM version WHERE rid = ?1")                                         \
    X(DROP_RESOURCE, "DELETE FROM resource WHERE rid = ?1")                                        \
    X(DROP_OUTBOX, "DELETE FROM outbox WHERE rid = ?1")                                            \
    X(DROP_DEADLINE, "DELETE FROM deadline WHERE rid = ?1")                                        \
    X(ADD_PURGED, "INSERT INTO purged VALUES (?1, ?2, ?3, ?4, ?5)")                                \
    X(BLANK_CODE, "UPDATE code SET text = '' WHERE param = ?1 AND hash = ?2 AND text <> ''")       \
    X(IDEMPOTENCY, "SELECT request, t, updated, outcomes FROM idempotency WHERE key = ?1")         \
    X(ADD_IDEMPOTENCY, "INSERT INTO idempotency VALUES (?1, ?2, ?3, ?4, ?5, ?6)")                  \
    X(EXPIRE_IDEMPOTENCY, "DELETE FROM idempotency WHERE key IN"                                   \
                          " (SELECT key FROM idempotency WHERE at < ?1 ORDER BY at LIMIT 16)")     \
    X(ADD_UNMERGED, "INSERT INTO unmerged VALUES (?1, ?2, ?3, ?4, ?5, ?6)")                        \
    X(DROP_UNMERGED, "DELETE FROM unmerged WHERE t <= ?1")                                         \
    X(ADD_TRACE, "INSERT INTO trace_out (t, record) VALUES (?1, ?2)")                              \
    X(ADD_COUNTER, "INSERT INTO counter VALUES (?1, ?2, ?3)"                                       \
                   " ON CONFLICT (param, hash) DO UPDATE SET n = n + excluded.n")                  \
    X(DROP_COUNTER, "DELETE FROM counter WHERE param = ?1 AND hash = ?2 AND n <= 0")               \
    X(ADD_CODE, "INSERT INTO code VALUES (?1, ?2, ?3, ?4, ?5)"                                     \
                " ON CONFLICT (param, hash) DO UPDATE SET text = excluded.text"                    \
                " WHERE text = ''")                                                                \
    X(DROP_CODE, "DELETE FROM code WHERE param = ?1 AND hash = ?2")                                \
    X(ADD_TOKEN, "INSERT OR IGNORE INTO token VALUES (?1, ?2, ?3)")                                \
    X(ADD_REFERENCE, "INSERT OR IGNORE INTO reference VALUES (?1, ?2, ?3)")                        \
    X(ADD_DATE, "INSERT OR IGNORE INTO date VALUES (?1, ?2, ?3, ?4, ?5)")                          \
    X(ADD_STRING, "INSERT OR IGNORE INTO string VALUES (?1, ?2, ?3)")                              \
    X(ADD_QUANTITY, "INSERT OR IGNORE INTO quantity VALUES (?1, ?2, ?3, ?4, ?5)")                  \
    X(ADD_URI, "INSERT OR IGNORE INTO uri VALUES (?1, ?2, ?3)")                                    \
    X(ADD_UPDATED, "INSERT OR IGNORE INTO updated VALUES (?1, ?2, ?3)")                            \
    X(ADD_PATIENT, "INSERT OR IGNORE INTO patient VALUES (?1, ?2, ?3, ?4)")                        \
    X(ADD_PTOK, "INSERT OR IGNORE INTO ptok VALUES (?1, ?2, ?3, ?4, ?5)")                          \
    X(ADD_TARGET, "INSERT OR IGNORE INTO target VALUES (?1, ?2)")                                  \
    /* all pending rows from ?2 up to ?3 of list ?1 */                                             \
    X(ADD_ALL_TOKEN, "INSERT OR IGNORE INTO token SELECT a, b, r FROM pending" PENDING_RANGE)      \
    X(ADD_ALL_REFERENCE,                                                                           \
      "INSERT OR IGNORE INTO reference SELECT a, b, r FROM pending" PENDING_RANGE)                 \
    X(ADD_ALL_DATE, "INSERT OR IGNORE INTO date SELECT a, b, c, r, d FROM pending" PENDING_RANGE)  \
    X(ADD_ALL_STRING, "INSERT OR IGNORE INTO string SELECT a, s, r FROM pending" PENDING_RANGE)    \
    X(ADD_ALL_QUANTITY,                                                                            \
      "INSERT OR IGNORE INTO quantity SELECT a, b, low, r, high FROM pending" PENDING_RANGE)       \
    X(ADD_ALL_URI, "INSERT OR IGNORE INTO uri SELECT a, s, r FROM pending" PENDING_RANGE)          \
    X(ADD_ALL_UPDATED, "INSERT OR IGNORE INTO updated SELECT a, b, r FROM pending" PENDING_RANGE)  \
    X(ADD_ALL_PATIENT,                                                                             \
      "INSERT OR IGNORE INTO patient SELECT a, b, c, r FROM pending" PENDING_RANGE)                \
    X(ADD_ALL_PTOK, "INSERT OR IGNORE INTO ptok SELECT a, b, c, d, r FROM pending" PENDING_RANGE)  \
    X(ADD_ALL_TARGET, "INSERT OR IGNORE INTO target SELECT a, r FROM pending" PENDING_RANGE)       \
    X(ADD_ALL_FEED,                                                                                \
      "INSERT INTO feed SELECT a, r, b, c & 0xffffffff, c >> 32, d FROM pending" PENDING_RANGE)    \
    X(ADD_ALL_IDENT, "INSERT OR IGNORE INTO ident SELECT a, r FROM pending" PENDING_RANGE)         \
    X(CUT_TOKEN, "DELETE FROM token WHERE param = ?1 AND hash = ?2 AND rid = ?3")                  \
    X(CUT_REFERENCE, "DELETE FROM reference WHERE target = ?1 AND param = ?2 AND rid = ?3")        \
    X(CUT_DATE, "DELETE FROM date WHERE param = ?1 AND class = ?2 AND low = ?3 AND rid = ?4"       \
                " AND span = ?5")                                                                  \
    X(CUT_STRING, "DELETE FROM string WHERE param = ?1 AND folded = ?2 AND rid = ?3")              \
    X(CUT_QUANTITY, "DELETE FROM quantity WHERE param = ?1 AND unit = ?2 AND low = ?3"             \
                    " AND rid = ?4 AND high = ?5")                                                 \
    X(CUT_URI, "DELETE FROM uri WHERE param = ?1 AND uri = ?2 AND rid = ?3")                       \
    X(CUT_UPDATED, "DELETE FROM updated WHERE type = ?1 AND updated = ?2 AND rid = ?3")            \
    X(CUT_PATIENT, "DELETE FROM patient WHERE patient = ?1 AND type = ?2 AND moment = ?3"          \
                   " AND rid = ?4")                                                                \
    X(CUT_PTOK, "DELETE FROM ptok WHERE patient = ?1 AND param = ?2 AND hash = ?3"                 \
                " AND moment = ?4 AND rid = ?5")                                                   \
    X(CUT_TARGET, "DELETE FROM target WHERE target = ?1 AND rid = ?2")                             \
    /* full text */                                                                                \
    X(POSTED, "SELECT t, form, purges FROM posted WHERE one = 1")                                  \
    X(SET_POSTED, "UPDATE posted SET t = ?1, form = ?2 WHERE one = 1")                             \
    X(NOTE_PURGE, "UPDATE posted SET purges = purges + 1 WHERE one = 1")                           \
    X(POSTINGS, "SELECT first, rids FROM posting WHERE list = ?1 AND term >= ?2 AND term < ?3")    \
    X(BLOCK_AT, "SELECT first, rids FROM posting WHERE list = ?1 AND term = ?2 AND first <= ?3"    \
                " ORDER BY first DESC LIMIT 1")                                                    \
    X(BLOCK_BEHIND, "SELECT first FROM posting WHERE list = ?1 AND term = ?2 AND first > ?3"       \
                    " ORDER BY first LIMIT 1")                                                     \
    X(PUT_BLOCK, "INSERT OR REPLACE INTO posting VALUES (?1, ?2, ?3, ?4)")                         \
    X(CUT_BLOCK, "DELETE FROM posting WHERE list = ?1 AND term = ?2 AND first = ?3")               \
    X(EMPTY_POSTING, "DELETE FROM posting")                                                        \
    X(ALL_BLOCKS,                                                                                  \
      "SELECT list, term, first, rids FROM posting"                                                \
      " WHERE (list, term, first) > (?1, ?2, ?3) ORDER BY list, term, first LIMIT 500")

enum statement {
#define STATEMENT_ENUM(name, sql) STATEMENT_##name,
    STATEMENTS(STATEMENT_ENUM)
#undef STATEMENT_ENUM
        STATEMENT_COUNT
};

#endif
