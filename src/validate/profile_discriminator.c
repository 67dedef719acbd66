/* profile_discriminator.c - the paths by which slices are told apart. See profile_impl.h.
 * https://hl7.org/fhir/R4/profiling.html#discriminator
 *
 * A restricted FHIRPath: names, extension('url'), resolve(), ofType(T), $this. A path is walked
 * twice at the same time, in the resource and in the definition of a slice. */
#include "validate/profile_impl.h"

enum { STEPS = 16 };

static bool is_name(med_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!med_is_alnum(s.ptr[i]) && s.ptr[i] != '_')
            return false;
    }
    return s.len > 0;
}

/* What stands between ( and ), without quotes. */
static med_str argument(med_str call)
{
    size_t open = med_str_find(call, '(', 0);
    med_str inner = med_str_trim(med_str_sub(call, open + 1, call.len - 1));
    if (inner.len >= 2 && (inner.ptr[0] == '\'' || inner.ptr[0] == '"'))
        inner = med_str_sub(inner, 1, inner.len - 1);
    return inner;
}

/* The end of the step that begins at `from`: a dot outside of brackets. */
static size_t step_end(med_str path, size_t from)
{
    int depth = 0;
    size_t i = from;
    for (; i < path.len; i++) {
        depth += path.ptr[i] == '(';
        depth -= path.ptr[i] == ')';
        if (depth == 0 && path.ptr[i] == '.')
            break;
    }
    return i;
}

static bool read_step(const med_pack *p, med_str text, med_profile_step *out, bool *none)
{
    bool is_call = med_str_ends(text, MED_STR(")"));
    *none = med_str_eqz(text, "$this");
    if (*none)
        return true;
    if (med_str_eqz(text, "resolve()")) {
        out->kind = MED_STEP_RESOLVE;
    } else if (is_call && med_str_starts(text, MED_STR("extension("))) {
        *out = (med_profile_step){.kind = MED_STEP_EXTENSION, .text = argument(text)};
    } else if (is_call
               && (med_str_starts(text, MED_STR("ofType("))
                   || med_str_starts(text, MED_STR("as(")))) {
        med_str name = argument(text);
        if (med_str_starts(name, MED_STR("FHIR.")))
            name = med_str_skip(name, 5);
        *out = (med_profile_step){.kind = MED_STEP_OF_TYPE, .text = name};
        out->type = med_pack_type(p, name);
        return out->type != MED_TYPE_NONE;
    } else {
        if (med_str_ends(text, MED_STR("[x]")))
            text = med_str_sub(text, 0, text.len - 3);
        *out = (med_profile_step){.kind = MED_STEP_NAME, .text = text};
        return is_name(text);
    }
    return true;
}

static bool kind_of(med_str text, enum med_discriminator_kind *out)
{
    *out = med_str_eqz(text, "exists")    ? MED_BY_EXISTS
           : med_str_eqz(text, "type")    ? MED_BY_TYPE
           : med_str_eqz(text, "profile") ? MED_BY_PROFILE
                                          : MED_BY_VALUE;
    return *out != MED_BY_VALUE || med_str_eqz(text, "value") || med_str_eqz(text, "pattern");
}

bool med_discriminator_read(med_arena *a, const med_pack *p, med_str kind, med_str path,
                            med_discriminator *out)
{
    med_profile_step *steps = MED_TAKE(a, STEPS, med_profile_step);
    bool none = false;
    out->path = path;
    out->steps = steps;
    out->usable = steps != NULL && kind_of(kind, &out->kind) && path.len > 0;
    for (size_t at = 0; out->usable && at < path.len;) {
        size_t end = step_end(path, at);
        if (out->n == STEPS
            || !read_step(p, med_str_trim(med_str_sub(path, at, end)), &steps[out->n], &none))
            out->usable = false;
        else if (!none)
            out->n++;
        at = end + 1;
    }
    return steps != NULL;
}
