/* lexer.h - FHIRPath text to tokens. http://hl7.org/fhirpath/N1/#grammar
 *
 * A token's slice points into the expression. Thread safe; allocates only to undo escapes. */
#ifndef MED_MODEL_FHIRPATH_LEXER_H
#define MED_MODEL_FHIRPATH_LEXER_H

#include "base/arena.h"
#include "base/err.h"

enum med_token_kind {
    MED_TOKEN_END,
    MED_TOKEN_NAME,   /* identifier or keyword; `delimited` ones are never keywords */
    MED_TOKEN_STRING, /* text without its quotes, escapes undone */
    MED_TOKEN_INTEGER,
    MED_TOKEN_LONG, /* 5L: text is the digits */
    MED_TOKEN_DECIMAL,
    MED_TOKEN_DATE, /* text without '@' */
    MED_TOKEN_DATETIME,
    MED_TOKEN_TIME,     /* text without '@T' */
    MED_TOKEN_VARIABLE, /* %name, %`name`, %'name': text is the name */
    MED_TOKEN_DOLLAR,   /* $this: text is "this" */
    MED_TOKEN_SYMBOL,   /* ( ) [ ] { } . , + - * / & | = != ~ !~ < <= > >= */
};

typedef struct med_token {
    enum med_token_kind kind;
    med_str text;
    size_t at; /* offset of its first byte */
    bool delimited;
} med_token;

typedef struct med_lexer {
    med_arena *arena;
    med_str text;
    size_t at;
    med_err *err;
} med_lexer;

/* The next token. MED_ISSUE_INVALID with the position when the text is none. */
bool med_lexer_next(med_lexer *l, med_token *out) MED_MUST_CHECK;
/* Fails with "position N: WHAT". */
bool med_lexer_fail(const med_lexer *l, size_t at, const char *what);

#endif
