/* banned.h - functions that do not compile here.
 *
 * The build puts this file in front of every source (`-include`), so nobody has to remember
 * it. The system headers that declare or use the names come first: a poisoned name may not
 * even be declared again. Beside each group stands what to use instead. */
#ifndef MED_BASE_BANNED_H
#define MED_BASE_BANNED_H

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

/* Those that are macros too. */
#undef sprintf
#undef vsprintf
#undef isalnum
#undef isalpha
#undef isblank
#undef iscntrl
#undef isdigit
#undef isgraph
#undef islower
#undef isprint
#undef ispunct
#undef isspace
#undef isupper
#undef isxdigit
#undef tolower
#undef toupper
#undef alloca

/* No bound: slices and med_buf. */
#pragma GCC poison strcpy strcat stpcpy sprintf vsprintf gets
/* Bounds that are counted wrong as often as right: slices and med_buf. */
#pragma GCC poison strncpy strncat
/* No word about failure: med_str_to_int64; decimals stay text. */
#pragma GCC poison atoi atol atoll atof
/* One static buffer for all threads: med_str_cut; base/datetime.h. */
#pragma GCC poison strtok gmtime localtime ctime asctime
/* Undefined for a negative char, and they follow the locale: med_is_digit and friends. */
#pragma GCC poison isalnum isalpha isblank iscntrl isdigit isgraph islower isprint ispunct
#pragma GCC poison isspace isupper isxdigit tolower toupper
/* The stack has no word about failure either: the arena. */
#pragma GCC poison alloca
/* Predictable numbers and names: med_random; mkstemp in a folder of ours. */
#pragma GCC poison srand srandom rand_r drand48 lrand48 mrand48 mktemp tmpnam tempnam
/* These two are good words for a member or an argument, so only a call of them is stopped. */
#define rand(...) sorry_rand_is_a_banned_function
#define random(...) sorry_random_is_a_banned_function

#endif
