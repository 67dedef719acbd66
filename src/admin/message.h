/* message.h - what is said on the admin socket: one JSON object a packet, of few known kinds.
 *
 * docs/admin-socket.md tells the conversation. Reading is strict: a kind has its members, all of
 * them, of their types, and nothing else. A message's slices live in the arena it was read with
 * or in the packet. No state; thread safe. */
#ifndef MED_ADMIN_MESSAGE_H
#define MED_ADMIN_MESSAGE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum {
    MED_MESSAGE_BYTES = 64 << 10, /* a packet; more is refused */
    MED_MESSAGE_WORDS = 64,       /* of RUN */
    MED_MESSAGE_OPTIONS = 16,
};

enum med_message_kind {
    /* the client's */
    MED_MESSAGE_RUN,      /* command, options, words: the first packet */
    MED_MESSAGE_INPUT,    /* name, size, modified; carries a descriptor */
    MED_MESSAGE_NO_INPUT, /* there are no more */
    MED_MESSAGE_FILE,     /* carries a descriptor */
    MED_MESSAGE_FAILED,   /* text: why there is no descriptor */
    MED_MESSAGE_CANCEL,
    /* the server's */
    MED_MESSAGE_BEGIN,    /* text, unit: what is done, what is counted */
    MED_MESSAGE_PROGRESS, /* part of whole, done, errors */
    MED_MESSAGE_END,      /* done, errors */
    MED_MESSAGE_SAY,      /* text: a line for standard output */
    MED_MESSAGE_NEXT,     /* asks for INPUT, NO_INPUT or FAILED */
    MED_MESSAGE_MAKE,     /* name: asks for FILE or FAILED */
    MED_MESSAGE_RESULT,   /* code, text: the last packet */
    MED_MESSAGE_KINDS
};

typedef struct med_message_option {
    med_str name, value;
} med_message_option;

/* Members that a kind does not have are zero (slices empty). */
typedef struct med_message {
    enum med_message_kind kind;
    med_str command, text, unit, name;
    int64_t size, modified, part, whole, done, errors, code; /* never negative */
    const med_message_option *options;
    size_t n_options;
    const med_str *words;
    size_t n_words;
} med_message;

/* MED_ISSUE_INVALID when it is no JSON, MED_ISSUE_STRUCTURE when it is no message. */
bool med_message_read(med_arena *a, med_str packet, med_message *out, med_err *err) MED_MUST_CHECK;
/* The text of a message; texts must be UTF-8. Past its ceiling `out` is failed. */
void med_message_write(med_buf *out, const med_message *m);
/* Does it come with a descriptor? All others come without. */
bool med_message_carries(enum med_message_kind kind);
bool med_message_is_client_s(enum med_message_kind kind);

/* The value of an option of RUN; false when it was not given. */
bool med_message_option_get(const med_message *m, const char *name, med_str *value);

#endif
