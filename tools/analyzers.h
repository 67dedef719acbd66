/* analyzers.h - what the analyzers must know and can not see, because each looks at one source:
 * a failure is always false. lint.py puts it in front of every source for them. */
#ifndef MED_TOOLS_ANALYZERS_H
#define MED_TOOLS_ANALYZERS_H

#include "base/err.h"

#undef MED_FAIL
#undef MED_FAIL_MEMORY
#define MED_FAIL(err, issue, ...) ((void)med_fail((err), (issue), MED_HERE, __VA_ARGS__), false)
#define MED_FAIL_MEMORY(err) ((void)med_fail_memory((err), MED_HERE), false)
#define med_err_at(err, expression) ((void)(med_err_at)((err), (expression)), false)
#define med_err_status(err, status) ((void)(med_err_status)((err), (status)), false)

#endif
