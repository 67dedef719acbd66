/* loops.h - where, select, all, exists, repeat, aggregate, sort: a body run for each item.
 * Private to model/fhirpath/. */
#ifndef MED_MODEL_FHIRPATH_LOOPS_H
#define MED_MODEL_FHIRPATH_LOOPS_H

#include "model/fhirpath/run.h"

bool med_fp_loop_begin(med_fp_run *r, const struct med_fp_code *code);
bool med_fp_loop_next(med_fp_run *r, const struct med_fp_code *code);
/* $this becomes the operand on top: at most one item, or all of them. */
bool med_fp_with_begin(med_fp_run *r, bool several);

#endif
