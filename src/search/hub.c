/* hub.c - see hub.h. */
#include "search/hub.h"

uint64_t med_hub_unit(uint64_t ident, unsigned span_class)
{
    return ident / MED_SPAN_CLASSES * MED_SPAN_CLASSES + span_class;
}

double med_hub_number(int64_t moment)
{
    return (double)moment;
}

int64_t med_hub_moment(double number)
{
    return number >= (double)MED_TIME_MAX   ? MED_TIME_MAX
           : number <= (double)MED_TIME_MIN ? MED_TIME_MIN
                                            : (int64_t)number;
}

bool med_extract_hubs(med_extraction *x)
{
    uint32_t number = x->schema->hub_dates[x->type];
    for (size_t i = 0; number != 0 && i < x->rows.n_dates; i++) {
        const med_interval span = x->rows.dates[i].span;
        for (size_t k = 0; x->rows.dates[i].param == number && k < x->n_hubs; k++) {
            med_quantity_row row = {.param = number,
                                    .unit = med_hub_unit(x->hubs[k], med_span_class(span)),
                                    .low = med_hub_number(span.low),
                                    .high = med_hub_number(span.low)};
            if (!med_rows_add_quantity(x, row))
                return false;
        }
    }
    return true;
}

/* ---- queries ---- */

bool med_hub_can_drive(const med_run *r, size_t date, size_t reference)
{
    const med_bound *d = &r->bound[date], *b = &r->bound[reference];
    const med_search_schema *s = r->q->schema;
    bool plain =
        b->clause->modifier == MED_MODIFIER_NONE || b->clause->modifier == MED_MODIFIER_TYPE;
    return s->has_rows[MED_ROWS_OF_HUBS] && r->q->type != MED_TYPE_NONE
           && d->clause->kind == MED_CLAUSE_DATE && d->clause->modifier == MED_MODIFIER_NONE
           && d->can_drive && d->clause->number == s->hub_dates[r->q->type]
           && b->clause->kind == MED_CLAUSE_REFERENCE && plain && b->n_hubs > 0
           && b->n_hubs * d->clause->n <= MED_HUB_KEYS;
}

bool med_hub_find(const med_run *r, size_t *date, size_t *reference)
{
    for (*date = 0; *date < r->q->n; ++*date) {
        for (*reference = 0; *reference < r->q->n; ++*reference) {
            if (med_hub_can_drive(r, *date, *reference))
                return true;
        }
    }
    return false;
}
