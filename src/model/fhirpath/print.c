/* print.c - results of an expression as JSON text, one line an item */
#include "model/fhirpath.h"

static void print_quantity(med_buf *out, const med_value *v)
{
    med_json_writer w = med_json_writer_to(out);
    med_json_open(&w, '{');
    med_json_key(&w, MED_STR("value"));
    med_json_raw_value(&w, v->text);
    med_json_pair(&w, "unit", v->unit);
    med_json_close(&w, '}');
}

static void print_string(med_buf *out, med_str s)
{
    med_buf_addc(out, '"');
    med_json_escape(out, s);
    med_buf_addc(out, '"');
}

static void print_node(med_buf *out, const med_value *v)
{
    bool absent = v->node == 0 && v->extension != 0;
    if (v->json == NULL)
        med_buf_addz(out, "null");
    else
        med_json_write_min(out, v->json, absent ? v->extension : v->node);
}

static void print_value(med_buf *out, const med_value *v)
{
    switch (v->kind) {
    case MED_VALUE_NODE:
        print_node(out, v);
        return;
    case MED_VALUE_BOOLEAN:
        med_buf_addz(out, v->integer != 0 ? "true" : "false");
        return;
    case MED_VALUE_INTEGER:
        med_buf_printf(out, "%lld", (long long)v->integer);
        return;
    case MED_VALUE_DECIMAL:
        med_buf_add(out, v->text);
        return;
    case MED_VALUE_STRING:
    case MED_VALUE_DATE:
    case MED_VALUE_DATETIME:
    case MED_VALUE_TIME:
        print_string(out, v->text);
        return;
    case MED_VALUE_QUANTITY:
        print_quantity(out, v);
        return;
    case MED_VALUE_TYPE:
        med_buf_printf(out, "\"%.*s.%.*s\"", MED_STR_ARG(v->unit), MED_STR_ARG(v->text));
        return;
    }
}

void med_values_print(med_buf *out, med_values v)
{
    for (size_t i = 0; i < v.n; i++) {
        print_value(out, &v.at[i]);
        med_buf_addc(out, '\n');
    }
}
