/* tls.c - see tls.h. No renegotiation, no compression, no early data; below 1.3 only forward
 * secret AEAD suites. */
#include "http/tls.h"

#include <limits.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/mem.h"

enum { TLS_AGAIN = -1, TLS_FAILED = -2 }; /* MED_IO_AGAIN, MED_IO_FAILED */

struct med_tls {
    SSL_CTX *context;
};
struct med_tls_session {
    SSL *ssl;
};

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *in, unsigned in_len, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1";
    (void)ssl;
    (void)arg;
    unsigned char *chosen = NULL;
    if (SSL_select_next_proto(&chosen, out_len, ours, sizeof ours - 1, in, in_len)
        != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static bool set_policy(SSL_CTX *c)
{
    SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION
                               | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                            | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_max_early_data(c, 0);
    SSL_CTX_set_session_id_context(c, (const unsigned char *)"medulla", 7);
    SSL_CTX_set_alpn_select_cb(c, choose_protocol, NULL);
    return SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) == 1
           && SSL_CTX_set_cipher_list(c, "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL") == 1;
}

/* OpenSSL's own words for the last fault, in *err. */
static bool fail(med_err *err, const char *what, med_str file)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return MED_FAIL(err, MED_ISSUE_VALUE, "%s \"%.*s\": %s", what, MED_STR_ARG(file),
                    reason == NULL ? "unknown fault" : reason);
}

static bool load_files(SSL_CTX *c, med_str certificate_file, med_str key_file, med_err *err)
{
    char certificate[PATH_MAX], key[PATH_MAX];
    if (certificate_file.len >= sizeof certificate || key_file.len >= sizeof key)
        return MED_FAIL(err, MED_ISSUE_VALUE, "the path of the certificate or key is too long");
    memcpy(certificate, certificate_file.ptr, certificate_file.len);
    certificate[certificate_file.len] = '\0';
    memcpy(key, key_file.ptr, key_file.len);
    key[key_file.len] = '\0';
    if (SSL_CTX_use_certificate_chain_file(c, certificate) != 1)
        return fail(err, "can not use the certificate file", certificate_file);
    if (SSL_CTX_use_PrivateKey_file(c, key, SSL_FILETYPE_PEM) != 1)
        return fail(err, "can not use the key file", key_file);
    if (SSL_CTX_check_private_key(c) != 1)
        return fail(err, "the key does not belong to the certificate in", certificate_file);
    return true;
}

med_tls *med_tls_new(med_str certificate_file, med_str key_file, med_err *err)
{
    med_tls *t = MED_NEW(1, med_tls);
    SSL_CTX *c = t == NULL ? NULL : SSL_CTX_new(TLS_server_method());
    if (c == NULL) {
        med_free(t);
        (void)MED_FAIL_MEMORY(err);
        return NULL;
    }
    t->context = c;
    if (!set_policy(c))
        (void)fail(err, "can not set the TLS policy", MED_STR_EMPTY);
    else if (load_files(c, certificate_file, key_file, err))
        return t;
    med_tls_free(t);
    return NULL;
}

void med_tls_free(med_tls *t)
{
    if (t == NULL)
        return;
    SSL_CTX_free(t->context);
    med_free(t);
}

med_tls_session *med_tls_session_new(med_tls *t, int fd)
{
    med_tls_session *s = MED_NEW(1, med_tls_session);
    SSL *ssl = s == NULL ? NULL : SSL_new(t->context);
    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) {
        SSL_free(ssl);
        med_free(s);
        return NULL;
    }
    SSL_set_accept_state(ssl);
    s->ssl = ssl;
    return s;
}

void med_tls_session_free(med_tls_session *s)
{
    if (s == NULL)
        return;
    ERR_clear_error();
    if (SSL_is_init_finished(s->ssl))
        (void)SSL_shutdown(s->ssl);
    SSL_free(s->ssl);
    ERR_clear_error();
    med_free(s);
}

/* What a result <= 0 of SSL_read or SSL_write means. */
static ssize_t judge(med_tls_session *s, int result, bool *wants_write)
{
    int why = SSL_get_error(s->ssl, result);
    ERR_clear_error();
    *wants_write = why == SSL_ERROR_WANT_WRITE;
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
        return TLS_AGAIN;
    return why == SSL_ERROR_ZERO_RETURN ? 0 : TLS_FAILED;
}

ssize_t med_tls_read(med_tls_session *s, void *to, size_t n, bool *wants_write)
{
    ERR_clear_error();
    int got = SSL_read(s->ssl, to, n > INT_MAX ? INT_MAX : (int)n);
    return got > 0 ? got : judge(s, got, wants_write);
}

ssize_t med_tls_write(med_tls_session *s, const void *from, size_t n, bool *wants_write)
{
    ERR_clear_error();
    int put = SSL_write(s->ssl, from, n > INT_MAX ? INT_MAX : (int)n);
    return put > 0 ? put : judge(s, put, wants_write);
}

bool med_tls_has_pending(med_tls_session *s)
{
    return SSL_pending(s->ssl) > 0;
}
