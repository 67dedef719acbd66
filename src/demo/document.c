/* document.c - letters in the language of the country: DocumentReference, with the text in it or
 * in a Binary. https://hl7.org/fhir/R4/documentreference.html */
#include "demo/record.h"

#include "base/datetime.h"

enum { LETTER_MAX = 8192 };

/* A day as it is written in the five countries: 5. 3. 2024, 05.03.2024. */
static void add_day(med_buf *b, const med_demo_chart *c, int32_t day)
{
    int year = 0, month = 0, date = 0;
    med_civil_from_days(day, &year, &month, &date);
    bool spaced = c->p->country->id == MED_DEMO_SI || c->p->country->id == MED_DEMO_CZ;
    med_buf_printf(b, spaced ? "%d. %d. %d" : "%02d.%02d.%d", date, month, year);
}

static void add_line(med_buf *b, const char *label, const char *text)
{
    med_buf_addz(b, label);
    med_buf_addz(b, ": ");
    med_buf_addz(b, text);
    med_buf_addc(b, '\n');
}

static void add_head(med_buf *b, med_demo_chart *c, enum med_demo_sentence title)
{
    med_demo_text name = med_demo_full_name(&c->p->name, NULL);
    med_buf_addz(b, c->visit.where->name.z);
    med_buf_addz(b, "\n\n");
    med_buf_addz(b, med_demo_say(c, title));
    med_buf_addz(b, "\n\n");
    add_line(b, med_demo_say(c, MED_SAY_PATIENT), name.z);
    med_buf_addz(b, med_demo_say(c, MED_SAY_BORN));
    med_buf_addz(b, ": ");
    add_day(b, c, c->p->birth);
    med_buf_addc(b, '\n');
}

static void add_diagnosis(med_buf *b, med_demo_chart *c, enum med_demo_condition d)
{
    med_buf_addz(b, med_demo_say(c, MED_SAY_DIAGNOSIS));
    med_buf_addz(b, ": ");
    med_buf_addz(b, med_demo_condition_text(c, d));
    med_buf_addz(b, " (");
    med_buf_addz(b, med_demo_conditions[d].icd10);
    med_buf_addz(b, ")\n");
}

static void add_medicine(med_buf *b, med_demo_chart *c, enum med_demo_drug drug)
{
    const med_demo_medicine *m = &med_demo_drugs[drug];
    med_buf_addz(b, "- ");
    med_buf_addz(b, m->name);
    med_buf_addc(b, ' ');
    med_buf_addz(b, m->strength);
    med_buf_addz(b, ", ");
    med_buf_addz(b, med_demo_dosages[m->dosage].text[c->p->country->id]);
    med_buf_addc(b, '\n');
}

static void add_therapy(med_buf *b, med_demo_chart *c, const med_demo_stay *stay)
{
    int32_t day = med_demo_day_of(c->visit.end);
    med_buf_addz(b, med_demo_say(c, MED_SAY_THERAPY));
    med_buf_addz(b, ":\n");
    bool any = stay->drug != MED_DRUG_COUNT;
    if (any)
        add_medicine(b, c, stay->drug);
    for (size_t i = 0; i < c->p->course_count; i++) {
        const med_demo_course *course = &c->p->courses[i];
        if (course->start <= day && day < course->stop) {
            add_medicine(b, c, course->drug);
            any = true;
        }
    }
    if (!any)
        med_buf_addz(b, "-\n");
}

static void add_signature(med_buf *b, const med_demo_chart *c)
{
    med_buf_addc(b, '\n');
    med_buf_addz(b, c->visit.who->name.z);
    med_buf_addc(b, '\n');
}

static void write_binary(med_demo_chart *c, med_str text, uint16_t *id)
{
    *id = med_demo_chart_begin(c, "Binary");
    med_put(c->out, "contentType", "text/plain;charset=utf-8");
    med_put_patient(c, "securityContext");
    med_put_base64(c->out, "data", text);
    med_demo_end(c->out);
}

static void put_attachment(med_demo_chart *c, med_str text, uint16_t binary,
                           enum med_demo_sentence title)
{
    med_demo_out *o = c->out;
    med_put_object(o, "attachment");
    med_put(o, "contentType", "text/plain;charset=utf-8");
    med_put(o, "language", c->p->country->language);
    if (binary == 0) {
        med_put_base64(o, "data", text);
    } else {
        med_demo_text id = med_demo_chart_id(c, binary);
        med_demo_text url = med_demo_join("Binary/", id.z, NULL);
        med_put(o, "url", url.z);
    }
    med_put_int(o, "size", (int64_t)text.len);
    med_put(o, "title", med_demo_say(c, title));
    med_put_time(o, "creation", c->visit.end);
    med_put_close(o);
}

static void write_reference(med_demo_chart *c, med_str text, uint16_t binary, med_demo_coding type,
                            enum med_demo_sentence title)
{
    med_demo_out *o = c->out;
    (void)med_demo_chart_begin(c, "DocumentReference");
    med_put(o, "status", "current");
    med_put(o, "docStatus", "final");
    med_put_concept(o, "type", type, med_demo_say(c, title));
    med_put_patient(c, "subject");
    med_put_time(o, "date", c->visit.end);
    med_put_workers(c, "author", c->visit.who);
    med_put_place(c, "custodian", c->visit.where);
    med_put_array(o, "content");
    med_put_object(o, NULL);
    put_attachment(c, text, binary, title);
    med_put_close(o);
    med_put_close(o);
    med_put_object(o, "context");
    med_put_owns(c, "encounter", "Encounter", c->visit.id);
    med_put_period(o, "period", c->visit.start, c->visit.end);
    med_put_close(o);
    med_demo_end(o);
}

void med_demo_letter_write(med_demo_chart *c, const med_demo_stay *stay)
{
    med_buf b;
    med_buf_init(&b, LETTER_MAX);
    add_head(&b, c, MED_SAY_LETTER);
    med_buf_addz(&b, med_demo_say(c, MED_SAY_STAY));
    med_buf_addz(&b, ": ");
    add_day(&b, c, med_demo_day_of(c->visit.start));
    med_buf_addz(&b, " - ");
    add_day(&b, c, med_demo_day_of(c->visit.end));
    med_buf_addc(&b, '\n');
    add_diagnosis(&b, c, stay->condition);
    med_buf_addc(&b, '\n');
    add_line(&b, med_demo_say(c, MED_SAY_COURSE), stay->course[c->p->country->id]);
    add_therapy(&b, c, stay);
    add_line(&b, med_demo_say(c, MED_SAY_ADVICE), med_demo_say(c, MED_SAY_ADVICE_TEXT));
    add_signature(&b, c);
    uint16_t binary = 0;
    write_binary(c, med_buf_str(&b), &binary);
    write_reference(c, med_buf_str(&b), binary, med_demo_loinc("18842-5", "Discharge summary"),
                    MED_SAY_LETTER);
    med_buf_free(&b);
}

void med_demo_note_write(med_demo_chart *c, enum med_demo_sentence title,
                         enum med_demo_sentence text, enum med_demo_condition d)
{
    med_buf b;
    med_buf_init(&b, LETTER_MAX);
    add_head(&b, c, title);
    add_diagnosis(&b, c, d);
    med_buf_addc(&b, '\n');
    med_buf_addz(&b, med_demo_say(c, text));
    med_buf_addc(&b, '\n');
    add_signature(&b, c);
    write_reference(c, med_buf_str(&b), 0, med_demo_loinc("11488-4", "Consult note"), title);
    med_buf_free(&b);
}
