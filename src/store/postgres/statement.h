/* statement.h - every SQL statement of the PostgreSQL store, by name. Private to
 * store/postgres/.
 *
 * They are literals: nothing a caller gave ever becomes part of a statement's text. All integers
 * go as int8, all texts as bytea; many rows go as one array a column. Scans come in pairs
 * (ascending, descending) and start strictly behind (value, rid), so that one statement serves
 * the first page and every later one. */
#ifndef MED_STORE_POSTGRES_STATEMENT_H
#define MED_STORE_POSTGRES_STATEMENT_H

#define RESOURCE_COLUMNS                                                                           \
    "r.rid, r.type, r.id, r.version, r.t, r.updated, r.change, r.patient, r.key, r.dictionary, "   \
    "r.hash, r.body"
#define VERSION_COLUMNS                                                                            \
    "r.rid, r.type, r.id, v.version, v.t, v.updated, v.change, v.patient, v.key, v.dictionary, "   \
    "v.hash, v.body"

#define I1 "$1::int8[]"
#define I2 I1 ", $2::int8[]"
#define I3 I2 ", $3::int8[]"
#define I4 I3 ", $4::int8[]"
#define I5 I4 ", $5::int8[]"
#define TEXT_ARRAYS I1 ", $2::bytea[], $3::int8[]"
#define REAL_ARRAYS I2 ", $3::float8[], $4::int8[], $5::float8[]"

#define CODES                                                                                      \
    "SELECT c.hash, (SELECT n.n FROM counter n WHERE n.param = c.param AND n.hash = c.hash)"       \
    " FROM code c WHERE c.param = $1::int8"
/* As COUNT_TOKEN counts: a code has few hashes. */
#define COUNTED_CODES                                                                              \
    "SELECT c.hash, coalesce((SELECT n.n FROM counter n WHERE n.param = c.param"                   \
    " AND n.hash = c.hash), (SELECT count(*) FROM token t WHERE t.param = c.param"                 \
    " AND t.hash = c.hash)) FROM code c WHERE c.param = $1::int8"

/* What is done with rows of an index table: they come, they go, which of them are missing, which
 * stand behind a key. `u` names the columns of the arrays in the order of the table's shape
 * (table.c). */
#define INDEX_STATEMENTS(X, name, table, arrays, u, columns, shard, same, key, behind)             \
    X(ADD_##name, "INSERT INTO " table " (" columns ", shard) SELECT " u ", (" shard               \
                  ") & 1023 FROM unnest(" arrays ") AS u (" u ")")                                 \
    X(CUT_##name, "DELETE FROM " table " d USING unnest(" arrays ") AS u (" u ") WHERE " same)     \
    X(MISSING_##name, "SELECT u.n FROM unnest(" arrays ") WITH ORDINALITY AS u (" u                \
                      ", n) WHERE NOT EXISTS (SELECT 1 FROM " table " d WHERE " same " OFFSET 0)") \
    X(ALL_##name,                                                                                  \
      "SELECT " key " FROM " table " WHERE (" key ") > (" behind ") ORDER BY " key " LIMIT 1000")

/* A page of a cursor; and the same with the resources that it names, in the order of the page: what
 * stands in it is looked up row by row, whatever the planner thinks of either. Its own columns come
 * last. */
#define ITS_RESOURCE(rid)                                                                          \
    " CROSS JOIN LATERAL (SELECT * FROM resource WHERE rid = " rid " OFFSET 0) AS r"
#define ITS_IDENT " CROSS JOIN LATERAL (SELECT * FROM ident WHERE hash = u.hash OFFSET 0) AS i "
#define NAMED " LEFT JOIN LATERAL (SELECT * FROM resource WHERE rid = p.rid OFFSET 0) AS r ON true"
#define SCAN(X, name, page)                                                                        \
    X(name, page)                                                                                  \
    X(name##_READ, "SELECT " RESOURCE_COLUMNS ", r.rowset, p.* FROM (" page ") AS p" NAMED)
/* Of a patient; and the same by the hash of the patient's id, with its rid: one row without a page
 * when there is nothing, none when nobody ever named the patient. */
#define PATIENT_SCAN(X, name, table, range)                                                        \
    SCAN(X, name, "SELECT rid, moment FROM " table " WHERE patient = $1::int8 AND " range)         \
    X(name##_OF,                                                                                   \
      "SELECT " RESOURCE_COLUMNS ", r.rowset, p.*, i.rid FROM ident i LEFT JOIN LATERAL"           \
      " (SELECT rid, moment FROM " table " WHERE patient = i.rid AND " range                       \
      ") AS p ON true" NAMED " WHERE i.hash = $1::int8")

#define B3 "$1::int8, $2::int8, $3::int8"
#define B4 B3 ", $4::int8"
#define B5 B4 ", $5::int8"

#define STATEMENTS(X)                                                                              \
    X(BEGIN_READ, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")                               \
    X(BEGIN_WRITE, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")                              \
    X(COMMIT, "COMMIT")                                                                            \
    X(ROLLBACK, "ROLLBACK")                                                                        \
    X(SET_TIMEOUT, "SELECT set_config('statement_timeout', $1::int8::text, false)")                \
    /* reading */                                                                                  \
    X(READ,                                                                                        \
      "SELECT " RESOURCE_COLUMNS " FROM ident i" ITS_RESOURCE("i.rid") " WHERE i.hash = $1::int8") \
    X(READ_RID, "SELECT " RESOURCE_COLUMNS ", r.rowset FROM resource r WHERE r.rid = $1::int8")    \
    X(READ_RID_ROWS, "SELECT r.rid, r.type, r.id, r.version, r.t, r.updated, r.change, r.patient," \
                     " r.key, r.dictionary, r.hash, NULL::bytea, r.rowset FROM resource r WHERE "  \
                     "r.rid = $1::int8")                                                           \
    X(CHECK,                                                                                       \
      "SELECT current_setting('server_version_num')::int8, pg_is_in_recovery(),"                   \
      " current_setting('fsync') = 'on', current_setting('full_page_writes') = 'on',"              \
      " current_setting('data_checksums') = 'on', current_setting('archive_mode') <> 'off',"       \
      " coalesce(a.last_failed_time > coalesce(a.last_archived_time, '-infinity'), false),"        \
      " coalesce(extract(epoch FROM now() - a.last_archived_time)::int8, -1),"                     \
      " current_setting('max_connections')::int8,"                                                 \
      " (SELECT count(*) FROM pg_stat_get_activity(NULL)),"                                        \
      " (SELECT count(*) FROM unnest(ARRAY['resource', 'version', 'feed', 'ident', 'state',"       \
      " 'token', 'node']) AS u (name) WHERE NOT (has_table_privilege(u.name, 'SELECT')"            \
      " AND has_table_privilege(u.name, 'INSERT') AND has_table_privilege(u.name, 'UPDATE')"       \
      " AND has_table_privilege(u.name, 'DELETE')))"                                               \
      " FROM pg_stat_get_archiver() a")                                                            \
    /* several at a time, in the order of the question */                                          \
    X(READ_RIDS,                                                                                   \
      "SELECT " RESOURCE_COLUMNS " FROM unnest(" I1 ") AS u (rid)" ITS_RESOURCE("u.rid"))          \
    X(READ_RIDS_BOTH, "SELECT " RESOURCE_COLUMNS ", r.rowset FROM unnest(" I1                      \
                      ") AS u (rid)" ITS_RESOURCE("u.rid"))                                        \
    X(READ_RIDS_ROWS,                                                                              \
      "SELECT r.rid, r.type, r.id, r.version, r.t, r.updated, r.change, r.patient,"                \
      " r.key, r.dictionary, r.hash, NULL::bytea, r.rowset FROM unnest(" I1                        \
      ") AS u (rid)" ITS_RESOURCE("u.rid"))                                                        \
    X(HAVE_TOKEN, "SELECT u.n FROM unnest($3::int8[]) WITH ORDINALITY AS u (rid, n)"               \
                  " WHERE EXISTS (SELECT 1 FROM token t WHERE t.param = $1::int8"                  \
                  " AND t.hash = $2::int8 AND t.rid = u.rid OFFSET 0)")                            \
    X(HAVE_REFERENCE, "SELECT u.n FROM unnest($3::int8[]) WITH ORDINALITY AS u (rid, n)"           \
                      " WHERE EXISTS (SELECT 1 FROM reference t WHERE t.param = $1::int8"          \
                      " AND t.target = $2::int8 AND t.rid = u.rid OFFSET 0)")                      \
    X(COUNT_TOKEN, "SELECT coalesce((SELECT n FROM counter WHERE param = $1::int8"                 \
                   " AND hash = $2::int8), (SELECT count(*) FROM token WHERE param = $1::int8"     \
                   " AND hash = $2::int8))")                                                       \
    /* several of IDENT, COUNTER and COUNT_TOKEN (0, 1, 2), in the order of the question */        \
    X(LOOKUPS, "SELECT CASE WHEN u.kind = 0 THEN (SELECT i.rid FROM ident i WHERE i.hash = u.key)" \
               " ELSE coalesce((SELECT c.n FROM counter c WHERE c.param = u.param"                 \
               " AND c.hash = u.key), CASE WHEN u.kind = 2 THEN (SELECT count(*) FROM token t"     \
               " WHERE t.param = u.param AND t.hash = u.key) END) END"                             \
               " FROM unnest(" I3 ") AS u (kind, param, key)")                                     \
    X(READ_VERSION, "SELECT " VERSION_COLUMNS " FROM version v JOIN resource r ON r.rid = v.rid"   \
                    " WHERE v.rid = $1::int8 AND v.version = $2::int8")                            \
    X(READ_VERSIONS,                                                                               \
      "SELECT " RESOURCE_COLUMNS ", u.n FROM unnest(" I2 ") WITH ORDINALITY"                       \
      " AS u (rid, version, n)" ITS_RESOURCE(                                                      \
          "u.rid") " WHERE r.version = u.version UNION ALL SELECT " VERSION_COLUMNS ", u.n"        \
                   " FROM unnest(" I2 ") WITH ORDINALITY AS u (rid, version, n)"                   \
                   " CROSS JOIN LATERAL (SELECT * FROM version WHERE rid = u.rid"                  \
                   " AND version = u.version OFFSET 0) AS v" ITS_RESOURCE("v.rid"))                \
    X(READ_PART, "SELECT bytes FROM part WHERE hash = $1::bytea LIMIT 1")                          \
    X(HAS_NEW_PARTS, "SELECT 1 FROM part_new LIMIT 1")                                             \
    X(IDENT, "SELECT rid FROM ident WHERE hash = $1::int8")                                        \
    X(STATE, "SELECT t, rid, updated, turn FROM state WHERE one = 1")                              \
    X(POSITION, "SELECT t FROM state WHERE one = 1")                                               \
    X(STANDBY, "SELECT s.t, pg_is_in_recovery(), coalesce((SELECT value FROM setting"              \
               " WHERE name = 'key_proof'::bytea), 0) FROM state s WHERE s.one = 1")               \
    X(NAMES, "SELECT kind, text, number FROM name ORDER BY kind, number")                          \
    X(NOTES, "SELECT name, revision, text FROM note ORDER BY name LIMIT 1024")                     \
    X(POSTED, "SELECT t, form, purges FROM posted WHERE one = 1")                                  \
    X(POSTINGS, "SELECT term, first, rids FROM posting WHERE list = $1::int8"                      \
                " AND (term, first) > ($2::bytea, $3::int8) AND term < $4::bytea"                  \
                " ORDER BY term, first LIMIT $5::int8")                                            \
    /* each in the order of the question: the block it belongs to, or NULL */                      \
    X(BLOCK_FIRSTS, "SELECT (SELECT p.first FROM posting p WHERE p.list = u.list"                  \
                    " AND p.term = u.term AND p.first <= u.rid ORDER BY p.first DESC LIMIT 1)"     \
                    " FROM unnest(" TEXT_ARRAYS ") AS u (list, term, rid)")                        \
    X(BLOCKS, "SELECT (SELECT p.rids FROM posting p WHERE p.list = u.list AND p.term = u.term"     \
              " AND p.first = u.first) FROM unnest(" TEXT_ARRAYS ") AS u (list, term, first)")     \
    X(CUT_NOTE_FILE, "DELETE FROM note_file WHERE name = $1::bytea")                               \
    X(ADD_NOTE_FILE, "INSERT INTO note_file VALUES ($1::bytea, $2::int8, $3::bytea)")              \
    X(NOTE_FILE, "SELECT bytes FROM note_file WHERE name = $1::bytea AND piece = $2::int8")        \
    X(EPOCH, "SELECT revision FROM note WHERE name = 'parameters'")                                \
    X(OTHERS, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"           \
              " AND application_name = current_setting('application_name')"                        \
              " AND backend_type = 'client backend' AND pid <> pg_backend_pid()")                  \
    X(SETTING, "SELECT value FROM setting WHERE name = $1::bytea")                                 \
    X(IS_EMPTY, "SELECT (NOT EXISTS (SELECT 1 FROM resource) AND NOT EXISTS (SELECT 1 FROM feed))" \
                "::int4")                                                                          \
    X(MISSING_INDEXES,                                                                             \
      "SELECT count(*) FROM unnest(ARRAY['token_key', 'reference_key', 'date_key', 'string_key',"  \
      " 'quantity_key', 'uri_key', 'updated_key', 'patient_key', 'ptok_key', 'target_key',"        \
      " 'feed_type', 'feed_rid']) AS u (name) WHERE to_regclass(u.name) IS NULL")                  \
    X(COUNT_DICTIONARIES, "SELECT count(*) FROM setting WHERE name >= 'dictionary_'"               \
                          " AND name < 'dictionary`'")                                             \
    X(VERSIONS_OF, "SELECT " VERSION_COLUMNS " FROM version v JOIN resource r ON r.rid = v.rid"    \
                   " WHERE v.rid = $1::int8 AND v.version < $2::int8"                              \
                   " AND v.updated BETWEEN $4::int8 AND $5::int8"                                  \
                   " ORDER BY v.version DESC LIMIT $3::int8")                                      \
    X(VERSIONS_OF_UP, "SELECT " VERSION_COLUMNS " FROM version v JOIN resource r"                  \
                      " ON r.rid = v.rid WHERE v.rid = $1::int8 AND v.version > $2::int8"          \
                      " AND v.updated BETWEEN $4::int8 AND $5::int8"                               \
                      " ORDER BY v.version LIMIT $3::int8")                                        \
    X(VERSIONS_COUNT, "SELECT (SELECT count(*) FROM version WHERE rid = $1::int8"                  \
                      " AND updated BETWEEN $2::int8 AND $3::int8)"                                \
                      " + (SELECT count(*) FROM resource WHERE rid = $1::int8"                     \
                      " AND updated BETWEEN $2::int8 AND $3::int8)")                               \
    X(FEED_DOWN, "SELECT t, rid, version, change FROM feed WHERE (t, rid) < ($1::int8, $2::int8)"  \
                 " AND t >= $3::int8 AND change <> 4 ORDER BY t DESC, rid DESC LIMIT $4::int8")    \
    X(FEED_UP, "SELECT t, rid, version, change FROM feed WHERE (t, rid) > ($1::int8, $2::int8)"    \
               " AND t <= $3::int8 AND change <> 4 ORDER BY t, rid LIMIT $4::int8")                \
    X(FEED_TYPE_DOWN, "SELECT t, rid, version, change FROM feed WHERE type = $5::int8"             \
                      " AND (t, rid) < ($1::int8, $2::int8) AND t >= $3::int8 AND change <> 4"     \
                      " ORDER BY t DESC, rid DESC LIMIT $4::int8")                                 \
    X(FEED_TYPE_UP, "SELECT t, rid, version, change FROM feed WHERE type = $5::int8"               \
                    " AND (t, rid) > ($1::int8, $2::int8) AND t <= $3::int8 AND change <> 4"       \
                    " ORDER BY t, rid LIMIT $4::int8")                                             \
    X(FEED_COUNT, "SELECT count(*) FROM feed WHERE t BETWEEN $1::int8 AND $2::int8"                \
                  " AND change <> 4")                                                              \
    X(FEED_TYPE_COUNT, "SELECT count(*) FROM feed WHERE type = $3::int8"                           \
                       " AND t BETWEEN $1::int8 AND $2::int8 AND change <> 4")                     \
    X(FEED_MOMENT, "SELECT t, updated FROM feed WHERE t >= $1::int8 ORDER BY t LIMIT 1")           \
    X(FEED_VERSION, "SELECT version FROM feed WHERE t = $1::int8 AND rid = $2::int8")              \
    X(COUNTER, "SELECT n FROM counter WHERE param = $1::int8 AND hash = $2::int8")                 \
    X(COUNTER_SUM, "SELECT coalesce(sum(n), 0)::int8 FROM counter WHERE param = $1::int8")         \
    X(FIGURES, "SELECT coalesce(sum(n) FILTER (WHERE param = 0), 0)::int8,"                        \
               " coalesce(sum(n) FILTER (WHERE param = -1), 0)::int8,"                             \
               " (SELECT t FROM state WHERE one = 1), pg_database_size(current_database())"        \
               " FROM counter WHERE param IN (0, -1)")                                             \
    X(TOKEN_COUNT, "SELECT count(*) FROM token WHERE param = $1::int8 AND hash = $2::int8")        \
    /* with their counters, which are asked for next */                                            \
    X(CODES_BY_CODE,                                                                               \
      COUNTED_CODES " AND sha256(c.code) = sha256($2::bytea) AND c.code = $2::bytea")              \
    X(CODES_BY_SYSTEM, CODES " AND sha256(c.system) = sha256($2::bytea) AND c.system = $2::bytea") \
    X(CODES_BY_BOTH,                                                                               \
      COUNTED_CODES " AND sha256(c.code) = sha256($2::bytea) AND c.code = $2::bytea"               \
                    " AND c.system = $3::bytea")                                                   \
    X(REFERRERS, "SELECT DISTINCT rid FROM (SELECT rid FROM reference WHERE target = $1::int8"     \
                 " UNION ALL SELECT rid FROM target WHERE target = $1::int8) AS r"                 \
                 " LIMIT $2::int8")                                                                \
    X(REFERRERS_BUT, "SELECT rid FROM (SELECT rid FROM reference WHERE target = $1::int8"          \
                     " UNION ALL SELECT rid FROM target WHERE target = $1::int8) AS r"             \
                     " WHERE rid <> ALL ($2::int8[]) LIMIT 1")                                     \
    X(HAS_TOKEN, "SELECT 1 FROM token WHERE param = $1::int8 AND hash = $2::int8"                  \
                 " AND rid = $3::int8 LIMIT 1")                                                    \
    X(HAS_REFERENCE, "SELECT 1 FROM reference WHERE param = $1::int8 AND target = $2::int8"        \
                     " AND rid = $3::int8 LIMIT 1")                                                \
    /* a page is so many rows of each table, as far as both go: a target may have millions */      \
    X(MISSING_TARGETS,                                                                             \
      "WITH a AS (SELECT target FROM reference WHERE target > $1::int8 ORDER BY target LIMIT "     \
      "10000),"                                                                                    \
      " b AS (SELECT target FROM target WHERE target > $1::int8 ORDER BY target LIMIT 10000)"      \
      " SELECT u.target, NOT EXISTS (SELECT 1 FROM resource r WHERE r.rid = u.target"              \
      " AND r.change <> 3 OFFSET 0) FROM (SELECT target FROM a UNION SELECT target FROM b) AS u"   \
      " WHERE u.target <= least((SELECT max(target) FROM a HAVING count(*) = 10000),"              \
      " (SELECT max(target) FROM b HAVING count(*) = 10000), 9223372036854775807)"                 \
      " ORDER BY u.target")                                                                        \
    /* scans: $1 $2 the key, $3 $4 the start, $5 the end, $6 how many */                           \
    SCAN(X, TOKEN_UP,                                                                              \
         "SELECT rid FROM token WHERE param = $1::int8 AND hash = $2::int8"                        \
         " AND rid > $3::int8 ORDER BY rid LIMIT $4::int8")                                        \
    SCAN(X, TOKEN_DOWN,                                                                            \
         "SELECT rid FROM token WHERE param = $1::int8 AND hash = $2::int8"                        \
         " AND rid < $3::int8 ORDER BY rid DESC LIMIT $4::int8")                                   \
    SCAN(X, REFERENCE_UP,                                                                          \
         "SELECT rid FROM reference WHERE param = $1::int8 AND target = $2::int8"                  \
         " AND rid > $3::int8 ORDER BY rid LIMIT $4::int8")                                        \
    SCAN(X, REFERENCE_DOWN,                                                                        \
         "SELECT rid FROM reference WHERE param = $1::int8 AND target = $2::int8"                  \
         " AND rid < $3::int8 ORDER BY rid DESC LIMIT $4::int8")                                   \
    SCAN(X, DATE_UP,                                                                               \
         "SELECT rid, low, span FROM date WHERE param = $1::int8 AND class = $2::int8"             \
         " AND (low, rid) > ($3::int8, $4::int8) AND low <= $5::int8"                              \
         " ORDER BY low, rid LIMIT $6::int8")                                                      \
    SCAN(X, DATE_DOWN,                                                                             \
         "SELECT rid, low, span FROM date WHERE param = $1::int8 AND class = $2::int8"             \
         " AND (low, rid) < ($3::int8, $4::int8) AND low >= $5::int8"                              \
         " ORDER BY low DESC, rid DESC LIMIT $6::int8")                                            \
    SCAN(X, STRING_UP,                                                                             \
         "SELECT rid, folded FROM string WHERE param = $1::int8"                                   \
         " AND (folded, rid) > ($2::bytea, $3::int8) AND folded < $4::bytea"                       \
         " ORDER BY folded, rid LIMIT $5::int8")                                                   \
    SCAN(X, STRING_DOWN,                                                                           \
         "SELECT rid, folded FROM string WHERE param = $1::int8"                                   \
         " AND (folded, rid) < ($2::bytea, $3::int8) AND folded >= $4::bytea"                      \
         " ORDER BY folded DESC, rid DESC LIMIT $5::int8")                                         \
    SCAN(X, QUANTITY_UP,                                                                           \
         "SELECT rid, low, high FROM quantity WHERE param = $1::int8"                              \
         " AND unit = $2::int8 AND (low, rid) > ($3::float8, $4::int8)"                            \
         " AND low <= $5::float8 ORDER BY low, rid LIMIT $6::int8")                                \
    SCAN(X, QUANTITY_DOWN,                                                                         \
         "SELECT rid, low, high FROM quantity WHERE param = $1::int8"                              \
         " AND unit = $2::int8 AND (low, rid) < ($3::float8, $4::int8)"                            \
         " AND low >= $5::float8 ORDER BY low DESC, rid DESC LIMIT $6::int8")                      \
    SCAN(X, URI_UP,                                                                                \
         "SELECT rid, uri FROM uri WHERE param = $1::int8"                                         \
         " AND (uri, rid) > ($2::bytea, $3::int8) AND uri < $4::bytea"                             \
         " ORDER BY uri, rid LIMIT $5::int8")                                                      \
    SCAN(X, URI_DOWN,                                                                              \
         "SELECT rid, uri FROM uri WHERE param = $1::int8"                                         \
         " AND (uri, rid) < ($2::bytea, $3::int8) AND uri >= $4::bytea"                            \
         " ORDER BY uri DESC, rid DESC LIMIT $5::int8")                                            \
    SCAN(X, UPDATED_UP,                                                                            \
         "SELECT rid, updated FROM updated WHERE type = $1::int8"                                  \
         " AND (updated, rid) > ($3::int8, $4::int8) AND updated <= $5::int8"                      \
         " AND $2::int8 IS NOT NULL ORDER BY updated, rid LIMIT $6::int8")                         \
    SCAN(X, UPDATED_DOWN,                                                                          \
         "SELECT rid, updated FROM updated WHERE type = $1::int8"                                  \
         " AND (updated, rid) < ($3::int8, $4::int8) AND updated >= $5::int8"                      \
         " AND $2::int8 IS NOT NULL ORDER BY updated DESC, rid DESC LIMIT $6::int8")               \
    PATIENT_SCAN(X, PATIENT_UP, "patient",                                                         \
                 "type = $2::int8 AND (moment, rid) > ($3::int8, $4::int8) AND moment <= $5::int8" \
                 " ORDER BY moment, rid LIMIT $6::int8")                                           \
    PATIENT_SCAN(X, PATIENT_DOWN, "patient",                                                       \
                 "type = $2::int8 AND (moment, rid) < ($3::int8, $4::int8) AND moment >= $5::int8" \
                 " ORDER BY moment DESC, rid DESC LIMIT $6::int8")                                 \
    PATIENT_SCAN(X, PATIENT_ALL_UP, "patient",                                                     \
                 "$2::int8 IS NOT NULL AND (moment, rid) > ($3::int8, $4::int8)"                   \
                 " AND moment <= $5::int8 ORDER BY moment, rid LIMIT $6::int8")                    \
    PATIENT_SCAN(X, PATIENT_ALL_DOWN, "patient",                                                   \
                 "$2::int8 IS NOT NULL AND (moment, rid) < ($3::int8, $4::int8)"                   \
                 " AND moment >= $5::int8 ORDER BY moment DESC, rid DESC LIMIT $6::int8")          \
    PATIENT_SCAN(X, PTOK_UP, "ptok",                                                               \
                 "param = $2::int8 AND hash = $7::int8 AND (moment, rid) > ($3::int8, $4::int8)"   \
                 " AND moment <= $5::int8 ORDER BY moment, rid LIMIT $6::int8")                    \
    PATIENT_SCAN(X, PTOK_DOWN, "ptok",                                                             \
                 "param = $2::int8 AND hash = $7::int8 AND (moment, rid) < ($3::int8, $4::int8)"   \
                 " AND moment >= $5::int8 ORDER BY moment DESC, rid DESC LIMIT $6::int8")          \
    /* verify */                                                                                   \
    X(ALL_RESOURCES, "SELECT " RESOURCE_COLUMNS ", r.rowset FROM resource r"                       \
                     " WHERE r.rid > $1::int8 ORDER BY r.rid LIMIT $2::int8")                      \
    X(ALL_BLOCKS, "SELECT list, term, first, rids FROM posting"                                    \
                  " WHERE (list, term, first) > ($1::int8, $2::bytea, $3::int8)"                   \
                  " ORDER BY list, term, first LIMIT 500")                                         \
    X(SOME_RESOURCES, "SELECT " RESOURCE_COLUMNS ", r.rowset FROM unnest(" I1                      \
                      ") AS u (rid)" ITS_RESOURCE("u.rid"))                                        \
    X(SOME_IDENTS, "SELECT hash, rid FROM ident WHERE hash = ANY ($1::int8[])")                    \
    X(ALL_COUNTERS, "SELECT param, hash, n FROM counter WHERE (param, hash) > ($1::int8,"          \
                    " $2::int8) ORDER BY param, hash LIMIT 200")                                   \
    X(USES_OF, "SELECT hash FROM part_use WHERE rid = $1::int8 AND version = $2::int8"             \
               " ORDER BY hash")                                                                   \
    X(USES_OF_NOBODY, "SELECT count(*) FROM part_use u WHERE NOT EXISTS (SELECT 1 FROM resource r" \
                      " WHERE r.rid = u.rid AND r.version = u.version) AND NOT EXISTS (SELECT 1"   \
                      " FROM version v WHERE v.rid = u.rid AND v.version = u.version)")            \
    X(ALL_PARTS,                                                                                   \
      "SELECT p.id, p.hash, p.bytes, EXISTS (SELECT 1 FROM part_use u"                             \
      " WHERE u.hash = p.hash OFFSET 0) FROM part p WHERE p.id > $1::int8 ORDER BY p.id LIMIT 1")  \
    X(UPDATED_COUNT, "SELECT count(*) FROM updated WHERE type = $1::int8")                         \
    X(NOT_IN_FEED, "SELECT count(*) FROM (SELECT rid, version, t FROM resource UNION ALL"          \
                   " SELECT rid, version, t FROM version) AS v WHERE NOT EXISTS (SELECT 1"         \
                   " FROM feed f WHERE f.t = v.t AND f.rid = v.rid AND f.version = v.version)")    \
    X(FEED_PAGE, "SELECT t, rid, version, change FROM feed WHERE (t, rid) > ($1::int8, $2::int8)"  \
                 " ORDER BY t, rid LIMIT $3::int8")                                                \
    /* writing */                                                                                  \
    X(LOCK_STATE, "SELECT t, rid, updated, turn FROM state WHERE one = 1 FOR UPDATE")              \
    X(IDENTS, "SELECT i.hash, i.rid, coalesce(r.change <> 3, false) FROM unnest(" I1               \
              ") AS u (hash)" ITS_IDENT "LEFT JOIN LATERAL"                                        \
              " (SELECT change FROM resource WHERE rid = i.rid OFFSET 0) AS r ON true")            \
    X(ROWS, "SELECT r.rid, r.type, r.id, r.version, r.t, r.updated, r.change, r.patient, r.key,"   \
            " r.dictionary, r.hash, NULL::bytea, r.rowset, i.hash FROM unnest(" I1                 \
            ") AS u (hash)" ITS_IDENT ITS_RESOURCE("i.rid"))                                       \
    X(SET_STATE, "UPDATE state SET t = $1::int8, rid = $2::int8, updated = $3::int8,"              \
                 " turn = $4::int8 WHERE one = 1")                                                 \
    X(SET_NODE, "INSERT INTO node (id, turn) VALUES ($1::int8, $2::int8)"                          \
                " ON CONFLICT (id) DO UPDATE SET turn = excluded.turn, seen = now()")              \
    X(NODE, "SELECT turn FROM node WHERE id = $1::int8")                                           \
    X(DROP_NODE, "DELETE FROM node WHERE id = $1::int8 OR seen < now() - interval '1 day'")        \
    X(SET_SETTING, "INSERT INTO setting VALUES ($1::bytea, $2::int8)"                              \
                   " ON CONFLICT (name) DO NOTHING")                                               \
    X(ADD_NOTE, "INSERT INTO note VALUES ($1::bytea, $2::int8 + 1, $3::bytea)"                     \
                " ON CONFLICT (name) DO NOTHING RETURNING 1::int8")                                \
    X(SET_NOTE, "UPDATE note SET revision = revision + 1, text = $3::bytea"                        \
                " WHERE name = $1::bytea AND revision = $2::int8 RETURNING 1::int8")               \
    X(DROP_NOTE, "DELETE FROM note WHERE name = $1::bytea AND revision = $2::int8"                 \
                 " RETURNING 1::int8")                                                             \
    X(NO_WAIT, "SELECT set_config('synchronous_commit', 'off', true)")                             \
    X(CLAIM_LISTS, "SELECT pg_try_advisory_lock(1296385100, 1)")                                   \
    X(LOCK_POSTED, "SELECT t, form, purges FROM posted WHERE one = 1 FOR UPDATE")                  \
    X(SET_POSTED, "UPDATE posted SET t = $1::int8, form = $2::int8, purges = $3::int8"             \
                  " WHERE one = 1")                                                                \
    X(CUT_BLOCKS, "DELETE FROM posting p USING unnest(" TEXT_ARRAYS ") AS u (list, term, first)"   \
                  " WHERE p.list = u.list AND p.term = u.term AND p.first = u.first")              \
    X(PUT_BLOCKS,                                                                                  \
      "INSERT INTO posting (list, term, first, rids) SELECT * FROM unnest(" TEXT_ARRAYS            \
      ", $4::bytea[]) ON CONFLICT (list, term, first)"                                             \
      " DO UPDATE SET rids = excluded.rids")                                                       \
    X(EMPTY_POSTING, "DELETE FROM posting")                                                        \
    X(DROP_POSTINGS, "WITH old AS (SELECT list, term, first FROM posting"                          \
                     " ORDER BY list, term, first LIMIT $1::int8), gone AS (DELETE FROM posting p" \
                     " USING old u WHERE p.list = u.list AND p.term = u.term"                      \
                     " AND p.first = u.first RETURNING 1) SELECT count(*) FROM gone")              \
    X(SET_ROWSETS, "UPDATE resource r SET rowset = u.rowset FROM unnest(" I1 ", $2::bytea[])"      \
                   " AS u (rid, rowset) WHERE r.rid = u.rid")                                      \
    /* those that have no number yet, in the order in which they came */                           \
    X(ADD_NAMES,                                                                                   \
      "INSERT INTO name (kind, text, number) SELECT $1::int8, u.text, (SELECT"                     \
      " coalesce(max(number), 0) FROM name WHERE kind = $1::int8) + row_number() OVER (ORDER BY "  \
      "u.n)"                                                                                       \
      " FROM (SELECT text, min(n) AS n FROM unnest($2::bytea[]) WITH ORDINALITY AS u (text, n)"    \
      " GROUP BY text) AS u WHERE NOT EXISTS (SELECT 1 FROM name o WHERE o.kind = $1::int8"        \
      " AND o.text = u.text)")                                                                     \
    X(ADD_IDENTS, "INSERT INTO ident (hash, rid) SELECT * FROM unnest(" I2 ")")                    \
    X(DROP_IDENTS,                                                                                 \
      "DELETE FROM ident i USING unnest(" I2 ") AS u (hash, rid) WHERE i.hash = u.hash"            \
      " AND i.rid = u.rid AND NOT EXISTS (SELECT 1 FROM resource r WHERE r.rid = u.rid OFFSET 0)"  \
      " AND NOT EXISTS (SELECT 1 FROM reference r WHERE r.target = u.rid OFFSET 0)"                \
      " AND NOT EXISTS (SELECT 1 FROM target r WHERE r.target = u.rid OFFSET 0)"                   \
      " AND NOT EXISTS (SELECT 1 FROM patient r WHERE r.patient = u.rid OFFSET 0)")                \
    X(KEEP_VERSIONS, "INSERT INTO version (rid, version, t, updated, change, patient, key,"        \
                     " dictionary, hash, body, shard) SELECT r.rid, r.version, r.t, r.updated,"    \
                     " r.change, r.patient, r.key, r.dictionary, r.hash, r.body, r.shard"          \
                     " FROM unnest(" I1 ") AS u (rid)" ITS_RESOURCE("u.rid"))                      \
    X(ADD_VERSIONS, "INSERT INTO version (rid, version, t, updated, change, patient, key,"         \
                    " dictionary, hash, body, shard) SELECT u.*, u.rid & 1023 FROM unnest(" I5     \
                    ", $6::int8[], $7::int8[], $8::int8[], $9::bytea[], $10::bytea[])"             \
                    " AS u (rid, version, t, updated, change, patient, key, dictionary, hash,"     \
                    " body)")                                                                      \
    X(ADD_RESOURCES,                                                                               \
      "INSERT INTO resource (rid, version, t, updated, change, patient, key,"                      \
      " dictionary, hash, body, rowset, type, id, shard) SELECT u.*, u.rid & 1023"                 \
      " FROM unnest(" I5 ", $6::int8[], $7::int8[], $8::int8[], $9::bytea[],"                      \
      " $10::bytea[], $11::bytea[], $12::int8[], $13::bytea[]) AS u (rid, version, t,"             \
      " updated, change, patient, key, dictionary, hash, body, rowset, type, id)")                 \
    X(SET_RESOURCES,                                                                               \
      "UPDATE resource r SET version = u.version, t = u.t, updated = u.updated,"                   \
      " change = u.change, patient = u.patient, key = u.key, dictionary = u.dictionary,"           \
      " hash = u.hash, body = u.body, rowset = u.rowset FROM unnest(" I5                           \
      ", $6::int8[], $7::int8[], $8::int8[], $9::bytea[], $10::bytea[], $11::bytea[])"             \
      " AS u (rid, version, t, updated, change, patient, key, dictionary, hash, body,"             \
      " rowset) WHERE r.rid = u.rid")                                                              \
    X(ADD_FEED, "INSERT INTO feed (t, rid, type, version, change, updated, shard) SELECT u.*,"     \
                " u.rid & 1023 FROM unnest(" I5 ", $6::int8[]) AS u (t, rid, type, version,"       \
                " change, updated)")                                                               \
    /* part_new: rows of part that may be there already; see parts.c */                            \
    X(ADD_PARTS, "WITH added AS (INSERT INTO part (hash, bytes)"                                   \
                 " SELECT * FROM unnest($1::bytea[], $2::bytea[]) RETURNING id, hash)"             \
                 " INSERT INTO part_new SELECT id, hash FROM added")                               \
    X(ADD_USES, "INSERT INTO part_use SELECT * FROM unnest(" I2 ", $3::bytea[])"                   \
                " ON CONFLICT DO NOTHING")                                                         \
    X(FOLD_PARTS, "WITH n AS (DELETE FROM part_new WHERE id = ANY (ARRAY(SELECT id"                \
                  " FROM part_new ORDER BY id LIMIT 16 FOR UPDATE SKIP LOCKED)) RETURNING id,"     \
                  " hash), gone AS (DELETE FROM part WHERE id = ANY (ARRAY(SELECT n.id FROM n"     \
                  " WHERE EXISTS (SELECT 1 FROM part o WHERE o.hash = n.hash AND o.id < n.id"      \
                  " OFFSET 0))))"                                                                  \
                  " SELECT count(*) FROM n")                                                       \
    X(DROP_PARTS, "DELETE FROM part WHERE hash = ANY (ARRAY(SELECT u.hash FROM part_use u"         \
                  " WHERE u.rid = $1::int8 AND NOT EXISTS (SELECT 1 FROM part_use o"               \
                  " WHERE o.hash = u.hash AND o.rid <> $1::int8 OFFSET 0)))")                      \
    X(DROP_USES, "DELETE FROM part_use WHERE rid = $1::int8")                                      \
    X(PURGE_FEED, "UPDATE feed SET change = 4 WHERE rid = $1::int8")                               \
    X(DROP_VERSIONS, "DELETE FROM version WHERE rid = $1::int8")                                   \
    X(DROP_RESOURCE, "DELETE FROM resource WHERE rid = $1::int8")                                  \
    X(DROP_OUTBOX, "DELETE FROM outbox WHERE rid = $1::int8")                                      \
    X(DROP_DEADLINE, "DELETE FROM deadline WHERE rid = $1::int8")                                  \
    X(ADD_PURGED, "INSERT INTO purged VALUES (" B5 ")")                                            \
    X(BLANK_CODES, "UPDATE code c SET text = '' FROM unnest(" I2 ") AS u (param, hash)"            \
                   " WHERE c.param = u.param AND c.hash = u.hash AND c.text <> ''")                \
    X(IDEMPOTENCY, "SELECT request, t, updated, outcomes FROM idempotency WHERE key = $1::int8")   \
    X(ADD_IDEMPOTENCY, "INSERT INTO idempotency VALUES (" B5 ", $6::bytea)")                       \
    X(EXPIRE_IDEMPOTENCY, "DELETE FROM idempotency WHERE key = ANY (ARRAY(SELECT key"              \
                          " FROM idempotency WHERE at < $1::int8 ORDER BY at LIMIT 16))")          \
    X(ADD_TRACES, "INSERT INTO trace_out (t, record) SELECT * FROM unnest(" I1 ", $2::bytea[])")   \
    X(ADD_COUNTERS, "INSERT INTO counter SELECT * FROM unnest(" I3 ") ON CONFLICT (param, hash)"   \
                    " DO UPDATE SET n = counter.n + excluded.n")                                   \
    X(DROP_COUNTERS, "WITH gone AS (DELETE FROM counter c USING unnest(" I2 ") AS u (param, hash)" \
                     " WHERE c.param = u.param AND c.hash = u.hash AND c.n <= 0"                   \
                     " RETURNING c.param, c.hash) DELETE FROM code c USING gone"                   \
                     " WHERE c.param = gone.param AND c.hash = gone.hash")                         \
    X(ADD_CODES, "INSERT INTO code (param, hash, system, code, text) SELECT DISTINCT ON (u.param," \
                 " u.hash) u.* FROM unnest(" I2 ", $3::bytea[], $4::bytea[], $5::bytea[])"         \
                 " AS u (param, hash, system, code, text) ORDER BY u.param, u.hash,"               \
                 " length(u.text) DESC ON CONFLICT (param, hash) DO UPDATE"                        \
                 " SET text = excluded.text WHERE code.text = '' AND excluded.text <> ''")         \
    INDEX_STATEMENTS(X, TOKEN, "token", I3, "a, b, r", "param, hash, rid", "r",                    \
                     "d.param = u.a AND d.hash = u.b AND d.rid = u.r", "param, hash, rid", B3)     \
    INDEX_STATEMENTS(X, REFERENCE, "reference", I3, "a, b, r", "target, param, rid", "r",          \
                     "d.target = u.a AND d.param = u.b AND d.rid = u.r", "target, param, rid", B3) \
    INDEX_STATEMENTS(X, DATE, "date", I5, "a, b, c, r, d", "param, class, low, rid, span", "r",    \
                     "d.param = u.a AND d.class = u.b AND d.low = u.c AND d.rid = u.r"             \
                     " AND d.span = u.d",                                                          \
                     "param, class, low, rid, span", B5)                                           \
    INDEX_STATEMENTS(X, STRING, "string", TEXT_ARRAYS, "a, s, r", "param, folded, rid", "r",       \
                     "d.param = u.a AND d.folded = u.s AND d.rid = u.r", "param, folded, rid",     \
                     "$1::int8, $2::bytea, $3::int8")                                              \
    INDEX_STATEMENTS(                                                                              \
        X, QUANTITY, "quantity", REAL_ARRAYS, "a, b, c, r, d", "param, unit, low, rid, high", "r", \
        "d.param = u.a AND d.unit = u.b AND d.low = u.c AND d.rid = u.r"                           \
        " AND d.high = u.d",                                                                       \
        "param, unit, low, rid, high", "$1::int8, $2::int8, $3::float8, $4::int8, $5::float8")     \
    INDEX_STATEMENTS(X, URI, "uri", TEXT_ARRAYS, "a, s, r", "param, uri, rid", "r",                \
                     "d.param = u.a AND d.uri = u.s AND d.rid = u.r", "param, uri, rid",           \
                     "$1::int8, $2::bytea, $3::int8")                                              \
    INDEX_STATEMENTS(X, UPDATED, "updated", I3, "a, b, r", "type, updated, rid", "r",              \
                     "d.type = u.a AND d.updated = u.b AND d.rid = u.r", "type, updated, rid", B3) \
    INDEX_STATEMENTS(X, PATIENT, "patient", I4, "a, b, c, r", "patient, type, moment, rid", "a",   \
                     "d.patient = u.a AND d.type = u.b AND d.moment = u.c AND d.rid = u.r",        \
                     "patient, type, moment, rid", B4)                                             \
    INDEX_STATEMENTS(X, PTOK, "ptok", I5, "a, b, c, d, r", "patient, param, hash, moment, rid",    \
                     "a",                                                                          \
                     "d.patient = u.a AND d.param = u.b AND d.hash = u.c AND d.moment = u.d"       \
                     " AND d.rid = u.r",                                                           \
                     "patient, param, hash, moment, rid", B5)                                      \
    INDEX_STATEMENTS(X, TARGET, "target", I2, "a, r", "target, rid", "r",                          \
                     "d.target = u.a AND d.rid = u.r", "target, rid", "$1::int8, $2::int8")

enum statement {
#define STATEMENT_ENUM(name, sql) STATEMENT_##name,
    STATEMENTS(STATEMENT_ENUM)
#undef STATEMENT_ENUM
        STATEMENT_COUNT
};

#endif
