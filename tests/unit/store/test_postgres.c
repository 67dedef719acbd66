/* Several stores on one PostgreSQL database, as several processes have them; lost connections,
 * a killed process, a restart. Skipped where MEDULLA_TEST_STORE is not postgres. */
#include "kit.h"

#include <libpq-fe.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/fulltext.h"

enum { NODES = 3 };

struct nodes {
    struct kit *k;
    med_store *at[NODES];
};

#define SKIP_ELSEWHERE(k)                                                                          \
    do {                                                                                           \
        if (!(k)->postgres)                                                                        \
            skip();                                                                                \
    } while (0)

static struct nodes open_nodes(struct kit *k)
{
    struct nodes n = {.k = k};
    med_err err;
    n.at[0] = k->store;
    for (int i = 1; i < NODES; i++) {
        n.at[i] = kit_try_open(k, &err);
        if (n.at[i] == NULL)
            fail_msg("%s", err.text);
    }
    return n;
}

static void close_nodes(struct nodes *n)
{
    for (int i = 1; i < NODES; i++)
        med_store_close(n->at[i]);
}

static void sound(struct kit *k)
{
    med_err err = {0};
    med_verify v = {0};
    if (!med_store_verify(k->store, &v, &err))
        fail_msg("%s", err.text);
    assert_int_equal(v.faults, 0);
}

/* ---- one winner among three processes ---- */

struct client {
    struct kit *k;
    med_store *store;
    med_arena *arena;
    pthread_barrier_t *start;
    med_write write;
    med_commit commit;
    unsigned slot, done, number;
    bool won, good;
    const _Atomic bool *stop;
};

static bool nobody_has_it(void *arg, med_view *v, med_err *err)
{
    struct client *c = arg;
    med_scan q = {.index = MED_INDEX_TOKEN,
                  .param = c->k->identifier,
                  .key = c->write.rows.tokens[0].hash,
                  .low_text = MED_STR_EMPTY,
                  .high_text = MED_STR_EMPTY,
                  .after_text = MED_STR_EMPTY};
    med_cursor *cursor = med_view_scan(v, &q, err);
    med_hit hit;
    enum med_found found = cursor == NULL ? MED_FAILED : med_cursor_next(cursor, &hit, err);
    med_cursor_close(cursor);
    if (found == MED_FOUND)
        return MED_FAIL(err, MED_ISSUE_DUPLICATE, "it exists");
    return found == MED_ABSENT;
}

static void *create_once(void *arg)
{
    struct client *c = arg;
    med_err err;
    (void)pthread_barrier_wait(c->start);
    c->won = med_store_commit_wait(c->store, &c->commit, &err);
    c->good = c->won || err.issue == MED_ISSUE_DUPLICATE;
    return NULL;
}

static void one_of_192_conditional_creates_wins(void **state)
{
    struct kit *k = *state;
    enum { EACH = 64, CLIENTS = EACH * NODES, ROUNDS = 10 };
    SKIP_ELSEWHERE(k);
    struct nodes nodes = open_nodes(k);
    for (int round = 0; round < ROUNDS; round++) {
        static struct client c[CLIENTS];
        static pthread_t threads[CLIENTS];
        pthread_barrier_t start;
        assert_int_equal(pthread_barrier_init(&start, NULL, CLIENTS), 0);
        med_token_row token = {k->identifier, MED_ROW_GLOBAL,
                               kit_hash(k, med_arena_printf(k->arena, "urn:x|%d", round).ptr)};
        for (int i = 0; i < CLIENTS; i++) {
            med_str id = med_arena_printf(k->arena, "r%d-%d", round, i);
            c[i] = (struct client){.k = k, .store = nodes.at[i % NODES], .start = &start};
            c[i].write = (med_write){.kind = MED_WRITE_PUT,
                                     .type = k->patient,
                                     .id = id,
                                     .text = kit_text(k, k->patient, id.ptr, "x"),
                                     .rows = {.tokens = &token, .n_tokens = 1, .when = 5}};
            kit_prepare(k, &c[i].write);
            c[i].commit = (med_commit){.writes = &c[i].write,
                                       .n_writes = 1,
                                       .guard = nobody_has_it,
                                       .guard_arg = &c[i],
                                       .trace = MED_STR_EMPTY};
        }
        for (int i = 0; i < CLIENTS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, create_once, &c[i]), 0);
        unsigned won = 0;
        for (int i = 0; i < CLIENTS; i++) {
            assert_int_equal(pthread_join(threads[i], NULL), 0);
            won += c[i].won;
            if (!c[i].good)
                fail_msg("a client was told: %s", c[i].commit.err.text);
        }
        assert_int_equal(won, 1);
        (void)pthread_barrier_destroy(&start);
    }
    print_message("%d rounds of 3 x %d clients: one winner each\n", ROUNDS, EACH);
    close_nodes(&nodes);
    sound(k);
}

/* Reads a version, writes the next with If-Match, until eight held. */
static void *update_with_version(void *arg)
{
    struct client *c = arg;
    med_err err = {0};
    (void)pthread_barrier_wait(c->start);
    while (c->done < 8) {
        med_stored stored;
        med_view *v = med_store_view(c->store, c->slot, INT64_MAX, &err);
        if (v == NULL)
            return NULL;
        med_arena_reset(c->arena);
        enum med_found found =
            med_view_latest(v, c->arena, c->k->patient, MED_STR("shared"), &stored, &err);
        med_view_end(v);
        if (found != MED_FOUND)
            return NULL;
        med_write w = {.kind = MED_WRITE_PUT,
                       .type = c->k->patient,
                       .id = MED_STR("shared"),
                       .text = med_arena_printf(
                           c->arena,
                           "{\"resourceType\":\"Patient\",\"id\":\"shared\",\"by\":\"%u/%u\"}",
                           c->number, c->done),
                       .rows.when = MED_TIME_MIN,
                       .expect = MED_EXPECT_VERSION,
                       .expect_version = stored.version};
        if (!med_store_prepare(c->store, c->arena, &w, &err))
            return NULL;
        med_commit commit = {.writes = &w, .n_writes = 1, .trace = MED_STR_EMPTY};
        if (med_store_commit_wait(c->store, &commit, &err))
            c->done++;
        else if (med_err_http_status(&err) != 412)
            return NULL;
    }
    c->good = true;
    return NULL;
}

static void no_update_is_lost_between_processes(void **state)
{
    struct kit *k = *state;
    enum { EACH = 3, CLIENTS = EACH * NODES };
    SKIP_ELSEWHERE(k);
    struct nodes nodes = open_nodes(k);
    med_write w = kit_put(k, k->patient, "shared", "0");
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    struct client c[CLIENTS];
    pthread_t threads[CLIENTS];
    pthread_barrier_t start;
    assert_int_equal(pthread_barrier_init(&start, NULL, CLIENTS), 0);
    for (unsigned i = 0; i < CLIENTS; i++) {
        c[i] = (struct client){.k = k,
                               .store = nodes.at[i % NODES],
                               .slot = i / NODES,
                               .number = i,
                               .start = &start,
                               .arena = med_arena_new(1 << 20)};
        assert_int_equal(pthread_create(&threads[i], NULL, update_with_version, &c[i]), 0);
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(c[i].good);
        med_arena_free(c[i].arena);
    }
    (void)pthread_barrier_destroy(&start);
    med_view *v = kit_view(k);
    med_stored stored;
    med_err err;
    assert_int_equal(med_view_read(v, k->arena, k->patient, MED_STR("shared"), &stored, &err),
                     MED_FOUND);
    assert_int_equal(stored.version, 1 + CLIENTS * 8);
    med_view_end(v);
    close_nodes(&nodes);
    sound(k);
}

/* ---- the feed ---- */

static void *write_some(void *arg)
{
    struct client *c = arg;
    med_err err = {0};
    for (unsigned i = 0; i < 60; i++) {
        med_arena_reset(c->arena);
        med_write w[3];
        for (unsigned n = 0; n < 3; n++) {
            med_str id = med_arena_printf(c->arena, "w%u-%u-%u", c->number, i, n);
            w[n] =
                (med_write){.kind = MED_WRITE_PUT,
                            .type = c->k->patient,
                            .id = id,
                            .text = med_arena_printf(
                                c->arena, "{\"resourceType\":\"Patient\",\"id\":\"%s\"}", id.ptr),
                            .rows.when = MED_TIME_MIN};
            if (!med_store_prepare(c->store, c->arena, &w[n], &err))
                return NULL;
        }
        med_commit commit = {.writes = w, .n_writes = 1 + i % 3, .trace = MED_STR_EMPTY};
        if (!med_store_commit_wait(c->store, &commit, &err))
            return NULL;
        c->done += 1 + i % 3;
    }
    c->good = true;
    return NULL;
}

/* Follows the feed while three processes write: what lies behind it never grows. */
static void the_feed_has_no_holes(void **state)
{
    struct kit *k = *state;
    SKIP_ELSEWHERE(k);
    struct nodes nodes = open_nodes(k);
    struct client c[NODES];
    pthread_t threads[NODES];
    for (unsigned i = 0; i < NODES; i++) {
        c[i] = (struct client){
            .k = k, .store = nodes.at[i], .number = i, .arena = med_arena_new(1 << 20)};
        assert_int_equal(pthread_create(&threads[i], NULL, write_some, &c[i]), 0);
    }
    const size_t all = 3 * (20 + 40 + 60);
    size_t seen = 0;
    int64_t last = 0;
    med_history q = {
        .since = MED_TIME_MIN, .until = MED_TIME_MAX, .oldest_first = true, .limit = 50};
    for (int rounds = 0; seen < all && rounds < 20000; rounds++) {
        med_view *v = kit_view(k);
        med_stored *page = NULL;
        size_t n = 0;
        med_err err = {0};
        if (!med_view_history(v, k->arena, &q, &page, &n, &err))
            fail_msg("%s", err.text);
        med_view_end(v);
        for (size_t i = 0; i < n; i++) {
            assert_true(page[i].t == last || page[i].t == last + 1);
            last = page[i].t;
        }
        if (n > 0) {
            q.after_t = page[n - 1].t;
            q.after_rid = page[n - 1].rid;
        }
        seen += n;
        (void)usleep(1000);
    }
    for (unsigned i = 0; i < NODES; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(c[i].good);
        med_arena_free(c[i].arena);
    }
    assert_int_equal(seen, all);
    close_nodes(&nodes);
}

/* ---- names ---- */

static void names_have_one_number_everywhere(void **state)
{
    struct kit *k = *state;
    SKIP_ELSEWHERE(k);
    struct nodes nodes = open_nodes(k);
    const med_str first[] = {MED_STR("Group"), MED_STR("Basic"), MED_STR("List")};
    const med_str other[] = {MED_STR("List"), MED_STR("Flag"), MED_STR("Basic")};
    uint32_t a[3], b[3];
    med_err err;
    assert_true(med_store_intern(nodes.at[0], MED_NAME_TYPE, first, 3, a, &err));
    assert_true(med_store_intern(nodes.at[1], MED_NAME_TYPE, other, 3, b, &err));
    assert_int_equal(a[1], b[2]);
    assert_int_equal(a[2], b[0]);
    assert_true(b[1] != a[0] && b[1] != a[1] && b[1] != a[2]);
    close_nodes(&nodes);
}

/* ---- full-text lists ---- */

static med_posted posted_at(med_store *s)
{
    med_posted out;
    med_err err;
    med_view *v = med_store_view(s, 0, INT64_MAX, &err);
    assert_non_null(v);
    assert_true(med_view_posted(v, &out, &err));
    med_view_end(v);
    return out;
}

static bool claims(med_store *s)
{
    med_err err;
    bool mine = false;
    assert_true(med_store_claim_lists(s, &mine, &err));
    return mine;
}

static bool post_word(med_store *s, med_posted from, int64_t t, med_err *err)
{
    enum { FORM = 9 };
    const med_posting word = {.list = 7, .term = MED_STR("word"), .rid = 4096};
    return med_store_post(s, &word, 1, from, (med_posted){t, FORM, from.purges}, err);
}

/* One node makes the lists, all read them; another goes on where the first one ended. */
static void one_node_makes_the_lists(void **state)
{
    struct kit *k = *state;
    SKIP_ELSEWHERE(k);
    struct nodes nodes = open_nodes(k);
    med_err err = {0};
    med_posted from = posted_at(nodes.at[0]);
    assert_true(claims(nodes.at[1]));
    assert_true(claims(nodes.at[1]));
    assert_false(claims(nodes.at[2]));
    assert_true(post_word(nodes.at[1], from, 1, &err));
    assert_int_equal(posted_at(nodes.at[2]).t, 1);
    assert_false(post_word(nodes.at[2], from, 1, &err)); /* it was slower */
    assert_int_equal(err.issue, MED_ISSUE_CONFLICT);
    kit_sql(k, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'");
    bool mine = false;
    for (int i = 0; !mine && i < 1000; i++) { /* its session ends a moment later */
        mine = claims(nodes.at[2]);
        (void)usleep(10000);
    }
    assert_true(mine);
    from = posted_at(nodes.at[2]);
    assert_false(post_word(nodes.at[1], from, 2, &err)); /* it learns that its connection is gone */
    assert_int_equal(err.issue, MED_ISSUE_TRANSIENT);
    assert_false(claims(nodes.at[1]));
    assert_true(post_word(nodes.at[2], from, 2, &err));
    assert_int_equal(posted_at(nodes.at[1]).t, 2);
    close_nodes(&nodes);
}

/* ---- faults ---- */

static void cut_all_connections(struct kit *k)
{
    kit_sql(k, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> "
               "pg_backend_pid() AND datname = current_database()");
}

static void lost_connections_are_made_anew(void **state)
{
    struct kit *k = *state;
    SKIP_ELSEWHERE(k);
    med_write w = kit_put(k, k->patient, "a", "one");
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    assert_true(med_str_eqz(kit_note(k, k->patient, "a"), "one"));
    for (int i = 0; i < 5; i++) {
        cut_all_connections(k);
        assert_true(med_str_eqz(kit_note(k, k->patient, "a"), "one"));
        w = kit_put(k, k->patient, "b", i % 2 == 0 ? "even" : "odd");
        med_commit c = {.writes = &w, .n_writes = 1};
        if (kit_commit(k, &c) != MED_COMMIT_DONE)
            fail_msg("%s", c.err.text);
        cut_all_connections(k);
        w = kit_put(k, k->patient, "c", i % 2 == 0 ? "even" : "odd");
        assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    }
    med_view *v = kit_view(k); /* within a snapshot it can not go unnoticed */
    med_stored stored;
    med_err err;
    assert_int_equal(med_view_read(v, k->arena, k->patient, MED_STR("a"), &stored, &err),
                     MED_FOUND);
    cut_all_connections(k);
    assert_int_equal(med_view_read(v, k->arena, k->patient, MED_STR("a"), &stored, &err),
                     MED_FAILED);
    assert_int_equal(med_err_http_status(&err), 503);
    med_view_end(v);
    assert_true(med_str_eqz(kit_note(k, k->patient, "a"), "one"));
    sound(k);
}

/* Writers under a rain of cut connections: what was acknowledged is there, once. */
static void cut_while_committing_loses_nothing(void **state)
{
    struct kit *k = *state;
    SKIP_ELSEWHERE(k);
    struct client c = {.k = k, .store = k->store, .arena = med_arena_new(1 << 20)};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, write_some, &c), 0);
    for (int i = 0; i < 40; i++) {
        cut_all_connections(k);
        (void)usleep(3000);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    med_arena_free(c.arena);
    med_view *v = kit_view(k);
    uint64_t n = 0;
    med_err err;
    assert_true(med_view_count_type(v, k->patient, &n, &err));
    med_view_end(v);
    /* one more may have been refused or unknown, and ended the writer */
    assert_true(c.good ? n == c.done : n >= c.done && n <= c.done + 3);
    sound(k);
}

/* A process that holds the lock of all commits and does not move: the others get their turn when
 * the server ends it. */
static void a_killed_process_holds_nobody_up(void **state)
{
    struct kit *k = *state;
    SKIP_ELSEWHERE(k);
    kit_close(k);
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        med_err err;
        k->store = kit_try_open(k, &err);
        struct client c = {.k = k, .store = k->store, .arena = med_arena_new(1 << 20)};
        for (bool told = false; k->store != NULL; told = true) {
            c.number++;
            (void)write_some(&c);
            if (!told && write(ready[1], "x", 1) != 1)
                break;
        }
        _exit(1);
    }
    char byte = 0;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    kit_open(k);
    for (int i = 0; i < 20; i++) {
        med_write w = kit_put(k, k->patient, "mine", i % 2 == 0 ? "even" : "odd");
        assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    }
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    med_write w = kit_put(k, k->patient, "mine", "after");
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    (void)close(ready[0]);
    (void)close(ready[1]);
    sound(k);
}

static void without_its_rights_it_says_so(void **state)
{
    struct kit *k = *state;
    SKIP_ELSEWHERE(k);
    med_err err;
    kit_sql(k, "DROP ROLE IF EXISTS stranger; CREATE ROLE stranger LOGIN");
    char kept[sizeof k->database];
    memcpy(kept, k->database, sizeof kept);
    (void)snprintf(k->database + strlen(kept), sizeof k->database - strlen(kept), " user=stranger");
    assert_null(kit_try_open(k, &err));
    assert_int_equal(med_err_http_status(&err), 503);
    assert_non_null(strstr(err.text, "rights"));
    (void)snprintf(k->database, sizeof k->database, "host=/nowhere");
    assert_null(kit_try_open(k, &err));
    assert_int_equal(med_err_http_status(&err), 503);
    assert_non_null(strstr(err.text, "can not be reached"));
    memcpy(k->database, kept, sizeof kept);
}

/* The rows of a committed transaction that is not ours must not be half visible: a lock held by
 * somebody else makes writers wait, and then go on. */
static void writers_wait_their_turn(void **state)
{
    struct kit *k = *state;
    SKIP_ELSEWHERE(k);
    med_write w = kit_put(k, k->patient, "a", "one");
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    PGconn *c = PQconnectdb(k->database);
    PQclear(PQexec(c, "BEGIN"));
    PQclear(PQexec(c, "SELECT * FROM medulla.state FOR UPDATE"));
    struct client writer = {.k = k, .store = k->store, .arena = med_arena_new(1 << 20)};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, write_some, &writer), 0);
    (void)usleep(100000);
    assert_true(med_str_eqz(kit_note(k, k->patient, "a"), "one")); /* reading goes on */
    med_view *v = kit_view(k);
    uint64_t n = 0;
    med_err err;
    assert_true(med_view_count_type(v, k->patient, &n, &err));
    med_view_end(v);
    assert_int_equal(n, 1);
    PQclear(PQexec(c, "COMMIT"));
    PQfinish(c);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(writer.good);
    med_arena_free(writer.arena);
}

/* ---- a long row of commits ---- */

static int count_indexes(struct kit *k)
{
    PGconn *c = PQconnectdb(k->database);
    PGresult *r = PQexec(c, "SELECT count(*) FROM pg_indexes WHERE schemaname = 'medulla'");
    int n = (int)strtol(PQgetvalue(r, 0, 0), NULL, 10);
    PQclear(r);
    PQfinish(c);
    return n;
}

/* More rows than a page of the statement has. */
static void what_is_missing_is_found_behind_a_target_of_many(void **state)
{
    struct kit *k = *state;
    med_err err = {0};
    med_rid after = 0;
    size_t total = 0;
    SKIP_ELSEWHERE(k);
    med_write first = kit_observation(k, "first", "one", "p1", "c|even", 1, 1);
    med_write last = kit_observation(k, "last", "one", "p2", "c|even", 1, 1);
    assert_int_equal(kit_commit_one(k, &first), MED_COMMIT_DONE);
    assert_int_equal(kit_commit_one(k, &last), MED_COMMIT_DONE);
    PGconn *c = PQconnectdb(k->database);
    PGresult *r = PQexec(c, "INSERT INTO medulla.reference (target, rid, param, shard) SELECT"
                            " (SELECT min(target) + 1 FROM medulla.reference), n, 1, 0"
                            " FROM generate_series(1, 10001) AS u (n)");
    assert_int_equal(PQresultStatus(r), PGRES_COMMAND_OK);
    PQclear(r);
    PQfinish(c);
    for (bool done = false; !done;) {
        size_t n = 0;
        med_rid *missing = NULL;
        med_view *v = kit_view(k);
        if (!med_view_missing(v, k->arena, &after, &missing, &n, &done, &err))
            fail_msg("%s", err.text);
        med_view_end(v);
        total += n;
    }
    assert_int_equal(total, 3);
}

static void an_empty_store_is_filled_without_its_index(void **state)
{
    struct kit *k = *state;
    med_err err = {0};
    SKIP_ELSEWHERE(k);
    int all = count_indexes(k);
    assert_true(med_store_bulk(k->store, true, &err));
    assert_true(count_indexes(k) < all);
    kit_write_many(k, "one");
    sound(k);
    assert_true(count_indexes(k) < all);
    if (!med_store_bulk(k->store, false, &err))
        fail_msg("%s", err.text);
    assert_int_equal(count_indexes(k), all);
    sound(k);
    assert_true(med_store_bulk(k->store, true, &err)); /* not empty: it stays */
    assert_int_equal(count_indexes(k), all);
    assert_true(med_store_bulk(k->store, false, &err));
}

/* Rows that go have to be found: then the index is made at once. */
static void what_changes_while_it_is_filled_ends_that(void **state)
{
    struct kit *k = *state;
    med_err err = {0};
    SKIP_ELSEWHERE(k);
    int all = count_indexes(k);
    assert_true(med_store_bulk(k->store, true, &err));
    kit_write_many(k, "one");
    med_write w = kit_observation(k, "o7", "two", "p", "c|other", 5, 5);
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    assert_int_equal(count_indexes(k), all);
    sound(k);
}

static void filling_that_was_cut_off_is_made_whole_at_the_next_start(void **state)
{
    struct kit *k = *state;
    med_err err = {0};
    SKIP_ELSEWHERE(k);
    int all = count_indexes(k);
    assert_true(med_store_bulk(k->store, true, &err));
    kit_write_many(k, "one");
    kit_reopen(k); /* without its end, as after a kill */
    assert_int_equal(count_indexes(k), all);
    sound(k);
}

/* Tables as the program before this one made them; its store may not open with what is new here. */
static void make_older(struct kit *k)
{
    med_err ignored = {0};
    const med_postgres_options older = {.conninfo = med_str_from(k->database),
                                        .keys = k->options.data,
                                        .create = true,
                                        .format = MED_POSTGRES_FORMAT - 1};
    PGconn *c = PQconnectdb(k->database);
    PQclear(PQexec(c, "DROP SCHEMA medulla CASCADE"));
    PQfinish(c);
    med_store *s = med_postgres_open(&older, &ignored);
    if (s != NULL)
        med_store_close(s);
}

static void an_older_format_waits_for_upgrade(void **state)
{
    struct kit *k = *state;
    med_err err = {0};
    unsigned from = 0, to = 0;
    char conninfo[512];
    SKIP_ELSEWHERE(k);
    const med_postgres_options o = {.conninfo = med_str_from(k->database)};
    kit_close(k);
    make_older(k);
    k->store = kit_try_open(k, &err);
    assert_null(k->store);
    assert_int_equal(err.issue, MED_ISSUE_EXPIRED);
    assert_non_null(strstr(err.text, "`medulla upgrade`"));

    (void)snprintf(conninfo, sizeof conninfo, "%s application_name=medulla", k->database);
    PGconn *server = PQconnectdb(conninfo); /* of the older program, still running */
    err = (med_err){0};
    assert_false(med_postgres_upgrade(&o, &from, &to, &err));
    assert_int_equal(err.issue, MED_ISSUE_LOCK_ERROR);
    PQfinish(server);
    for (int i = 0; i < 600; i++) { /* until the database has noticed */
        struct timespec pause = {.tv_nsec = 50000000};
        err = (med_err){0};
        if (med_postgres_upgrade(&o, &from, &to, &err) || err.issue != MED_ISSUE_LOCK_ERROR)
            break;
        (void)nanosleep(&pause, NULL);
    }
    if (err.issue != MED_ISSUE_NONE)
        fail_msg("%s", err.text);
    assert_int_equal(from, MED_POSTGRES_FORMAT - 1);
    assert_int_equal(to, MED_POSTGRES_FORMAT);
    assert_false(med_postgres_upgrade(&o, &from, &to, &err));
    assert_int_equal(err.issue, MED_ISSUE_INFORMATIONAL);
    kit_open(k);
    kit_write_many(k, "one");
    sound(k);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_of_192_conditional_creates_wins),
        TEST(no_update_is_lost_between_processes),
        TEST(the_feed_has_no_holes),
        TEST(names_have_one_number_everywhere),
        TEST(one_node_makes_the_lists),
        TEST(lost_connections_are_made_anew),
        TEST(cut_while_committing_loses_nothing),
        TEST(a_killed_process_holds_nobody_up),
        TEST(without_its_rights_it_says_so),
        TEST(writers_wait_their_turn),
        TEST(what_is_missing_is_found_behind_a_target_of_many),
        TEST(an_empty_store_is_filled_without_its_index),
        TEST(what_changes_while_it_is_filled_ends_that),
        TEST(filling_that_was_cut_off_is_made_whole_at_the_next_start),
        TEST(an_older_format_waits_for_upgrade),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
