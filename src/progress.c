/* progress.c - see progress.h. Everything goes to standard error. */
#include "progress.h"

#include <stdio.h>
#include <unistd.h>

enum { WIDTH = 30, SECOND = 1000000, TERMINAL_STEP = SECOND / 10, LINE_STEP = 5 * SECOND };

void med_progress_start(med_progress_bar *p, const char *what, const char *unit)
{
    *p =
        (med_progress_bar){.what = what, .unit = unit, .started = med_monotonic(&med_clock_system)};
    p->shown = p->started;
    p->terminal = isatty(STDERR_FILENO) == 1;
}

static void draw_bar(double fraction)
{
    char bar[WIDTH + 1];
    int full = fraction < 0 ? 0 : (int)(fraction * WIDTH);
    for (int i = 0; i < WIDTH; i++)
        bar[i] = i < full ? '#' : '.';
    bar[WIDTH] = '\0';
    (void)fprintf(stderr, "[%s] %3d%% ", bar, fraction < 0 ? 0 : (int)(fraction * 100));
}

static void draw(const med_progress_bar *p, double fraction, uint64_t done, uint64_t errors,
                 int64_t now)
{
    double seconds = (double)(now - p->started) / SECOND;
    double rate = seconds > 0 ? (double)done / seconds : 0;
    (void)fprintf(stderr, "%s%s ", p->terminal ? "\r" : "", p->what);
    if (p->terminal)
        draw_bar(fraction);
    (void)fprintf(stderr, "%lu %s, %.0f/s", (unsigned long)done, p->unit, rate);
    if (fraction > 0.01 && fraction < 1)
        (void)fprintf(stderr, ", %.0f s left", seconds / fraction - seconds);
    if (errors > 0)
        (void)fprintf(stderr, ", %lu rejected", (unsigned long)errors);
    (void)fputs(p->terminal ? "   " : "\n", stderr);
}

void med_progress_show(med_progress_bar *p, double fraction, uint64_t done, uint64_t errors)
{
    int64_t now = med_monotonic(&med_clock_system);
    if (now - p->shown < (p->terminal ? TERMINAL_STEP : LINE_STEP))
        return;
    p->shown = now;
    draw(p, fraction, done, errors, now);
}

void med_progress_end(med_progress_bar *p, uint64_t done, uint64_t errors)
{
    draw(p, 1, done, errors, med_monotonic(&med_clock_system));
    if (p->terminal)
        (void)fputc('\n', stderr);
}
