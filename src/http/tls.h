/* tls.h - TLS 1.2 and 1.3 on a non-blocking socket, by OpenSSL 3.
 *
 * The context is shared by all loops; a session belongs to its connection. */
#ifndef MED_HTTP_TLS_H
#define MED_HTTP_TLS_H

#include <sys/types.h>

#include "base/err.h"

typedef struct med_tls med_tls;                 /* an SSL_CTX */
typedef struct med_tls_session med_tls_session; /* an SSL */

/* NULL with *err when a file can not be read or key and certificate do not belong together. */
med_tls *med_tls_new(med_str certificate_file, med_str key_file, med_err *err);
void med_tls_free(med_tls *t);

/* NULL without memory. The handshake happens in the first reads. */
med_tls_session *med_tls_session_new(med_tls *t, int fd);
void med_tls_session_free(med_tls_session *s); /* says close_notify if it can; keeps the fd */

/* As med_io_read and med_io_write; *wants_write with MED_IO_AGAIN. */
ssize_t med_tls_read(med_tls_session *s, void *to, size_t n, bool *wants_write);
ssize_t med_tls_write(med_tls_session *s, const void *from, size_t n, bool *wants_write);
/* True when bytes are decrypted already, so that no event will announce them. */
bool med_tls_has_pending(med_tls_session *s);

#endif
