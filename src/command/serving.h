/* serving.h - what `serve` and `demo` share. */
#ifndef MED_COMMAND_SERVING_H
#define MED_COMMAND_SERVING_H

#include "command/command.h"

/* Opens the store, fills it with the demo nation when asked and when it is empty, and serves
 * until a signal. */
enum med_exit med_serve_run(const med_arguments *args, bool demo);

/* demo.c: fills an empty store; says the first steps. */
bool med_demo_fill(med_app *app, const med_arguments *args, med_err *err) MED_MUST_CHECK;
void med_demo_welcome(const med_app *app);

#endif
