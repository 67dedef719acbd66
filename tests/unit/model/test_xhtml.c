/* Tests of model/xhtml.h. */
#include "model/xhtml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define NS "xmlns=\"http://www.w3.org/1999/xhtml\""
#define DIV(inside) "<div " NS ">" inside "</div>"

static const char *const good[] = {
    DIV("x"),
    DIV(""),
    DIV("\n <p class=\"a\">x</p>\n"),
    "  <div " NS ">x</div>\n",
    "<!-- a --><div " NS ">x</div><!-- b -->",
    "<div xmlns='http://www.w3.org/1999/xhtml'>x</div>",
    "<div  " NS " >x</div >",
    "<div " NS "/>",
    DIV("<br/><hr /><img src=\"a.png\" alt=\"\"/>"),
    DIV("a &lt; b &amp; c &gt; d &quot; &apos; &#160; &#xA0;"),
    DIV("1 > 0 and \"quotes\" 'too'"),
    DIV("<a href=\"http://x.org/a?b=c&amp;d=e#f\">x</a>"),
    DIV("<a href=\"#top\">x</a><a name=\"top\"/>"),
    DIV("<a href=\"Patient/1\">x</a><a href=\"mailto:a@b\">y</a><a href=\"tel:1\">z</a>"),
    DIV("<img src=\"data:image/png;base64,AAAA\" alt=\"x\"/>"),
    DIV("<img src=\"#bin1\" alt=\"x\"/>"),
    DIV("<p style=\"color: #fff; width: 10px; background: rgb(1, 2, 3)\">x</p>"),
    DIV("<td style=\"background: white url(bg.png)\">x</td>"),
    DIV("<td style=\"background: url(data:image/png;base64,AAAA)\">x</td>"),
    DIV("<p style=\"font-family: &quot;Arial&quot;\">x</p>"),
    DIV("<table><tbody><tr><td colspan=\"2\">x</td></tr></tbody></table>"),
    DIV("<h1>a</h1><ul><li>b</li></ul><pre xml:space=\"preserve\">c</pre>"),
    DIV("<!-- comment -->x"),
    DIV("\xc3\xa9\xe2\x82\xac"),
};

static const struct {
    const char *text, *says;
} bad[] = {
    {"", "does not begin with <div>"},
    {"x", "does not begin with <div>"},
    {"</div>", "does not begin with <div>"},
    {"<!-- x -->", "does not begin with <div>"},
    {"<!-- x <div/>", "a comment that does not end"},
    {"<p " NS ">x</p>", "outermost element is <p>"},
    {"<div>x</div>", "lacks xmlns"},
    {"<div xmlns=\"http://x\">x</div>", "xmlns is not"},
    {"<DIV " NS ">x</DIV>", "<DIV> is not allowed"},
    {DIV("x") "y", "behind </div>"},
    {DIV("x") "<div " NS "/>", "behind </div>"},
    {DIV("x") "</div>", "behind </div>"},
    {"<div " NS ">x", "<div> is not ended"},
    {"<div " NS "><p>x</div>", "</div> ends what was not begun"},
    {"<div " NS "><b><i>x</b></i></div>", "</b> ends"},
    {"<div " NS, "does not end as it should"},
    {"<div " NS " <p>", "a tag that does not end"},
    {"<div xmlns>x</div>", "'xmlns' has no value"},
    {"<div xmlns=http://www.w3.org/1999/xhtml>x</div>", "not in quotes"},
    {"<div xmlns=\"http", "does not end"},
    {"<div " NS " " NS ">x</div>", "stands twice"},
    {DIV("<p"), "a tag that does not end"},
    {DIV("<p title='<'/>"), "a '<' inside an attribute"},
    {DIV("a < b"), "a '<' that begins no tag"},
    {DIV("<>"), "begins no tag"},
    {DIV("a & b"), "begins no entity"},
    {DIV("&nbsp;"), "write the character itself"},
    {DIV("&#;"), "begins no entity"},
    {DIV("&#x;"), "begins no entity"},
    {DIV("&#xZZ;"), "begins no entity"},
    {DIV("<?php ?>"), "processing instructions"},
    {DIV("<![CDATA[x]]>"), "CDATA"},
    {"<!DOCTYPE html><div " NS "/>", "declarations"},
    {"<?xml version=\"1.0\"?><div " NS "/>", "declarations"},
    {DIV("<!-- a -- b -->"), "'--' inside a comment"},
    {DIV("<script>x</script>"), "<script> is not allowed"},
    {DIV("<SCRIPT/>"), "is not allowed"},
    {DIV("<iframe src=\"x\"/>"), "<iframe> is not allowed"},
    {DIV("<object/>"), "<object> is not allowed"},
    {DIV("<embed/>"), "<embed> is not allowed"},
    {DIV("<form/>"), "<form> is not allowed"},
    {DIV("<input/>"), "<input> is not allowed"},
    {DIV("<link/>"), "<link> is not allowed"},
    {DIV("<base/>"), "<base> is not allowed"},
    {DIV("<meta/>"), "<meta> is not allowed"},
    {DIV("<style>x</style>"), "<style> is not allowed"},
    {DIV("<svg/>"), "<svg> is not allowed"},
    {DIV("<math/>"), "<math> is not allowed"},
    {DIV("<head/>"), "<head> is not allowed"},
    {DIV("<body/>"), "<body> is not allowed"},
    {DIV("<x:p/>"), "<x:p> is not allowed"},
    {DIV("<p onclick=\"x\"/>"), "'onclick' is not allowed"},
    {DIV("<p ONCLICK=\"x\"/>"), "'ONCLICK' is not allowed"},
    {DIV("<p onmouseover='x'/>"), "is not allowed"},
    {DIV("<a xlink:href=\"x\"/>"), "is not allowed"},
    {DIV("<a formaction=\"x\"/>"), "is not allowed"},
    {DIV("<img srcset=\"x\"/>"), "is not allowed"},
    {DIV("<a href=\"javascript:x\">y</a>"), "scheme that is not allowed"},
    {DIV("<a href=\" JavaScript:x\">y</a>"), "scheme that is not allowed"},
    {DIV("<a href=\"java&#x0A;script:x\">y</a>"), "scheme that is not allowed"},
    {DIV("<a href=\"java&#115;cript:x\">y</a>"), "scheme that is not allowed"},
    {DIV("<a href=\"java\tscript:x\">y</a>"), "scheme that is not allowed"},
    {DIV("<a href=\"&#106;avascript&#58;x\">y</a>"), "scheme that is not allowed"},
    {DIV("<a href=\"vbscript:x\">y</a>"), "scheme that is not allowed"},
    {DIV("<a href=\"data:text/html,x\">y</a>"), "scheme that is not allowed"},
    {DIV("<a href=\"file:///etc/passwd\">y</a>"), "scheme that is not allowed"},
    {DIV("<img src=\"data:image/svg+xml,x\"/>"), "scheme that is not allowed"},
    {DIV("<img src=\"data:text/html,x\"/>"), "scheme that is not allowed"},
    {DIV("<blockquote cite=\"javascript:x\"/>"), "scheme that is not allowed"},
    {DIV("<p style=\"background: url(http://x/y.png)\"/>"), "'style' may not"},
    {DIV("<p style=\"background: URL( &quot;//x/y.png&quot; )\"/>"), "'style' may not"},
    {DIV("<p style=\"background: url(javascript:x)\"/>"), "'style' may not"},
    {DIV("<p style=\"width: expression(alert(1))\"/>"), "'style' may not"},
    {DIV("<p style=\"background: image-set('x' 1x)\"/>"), "'style' may not"},
    {DIV("<p style=\"behavior : x\"/>"), "'style' may not"},
    {DIV("<p style=\"-moz-binding: x\"/>"), "'style' may not"},
    {DIV("<p style=\"@import 'x'\"/>"), "'style' may not"},
    {DIV("<p style=\"wid\\th: x\"/>"), "'style' may not"},
    {DIV("<p style=\"a:/**/b\"/>"), "'style' may not"},
    {DIV("<p style=\"a:&#117;rl(x)\"/>"), "'style' may not"},
    {DIV("\x01"), "a control character"},
    {DIV("<p title=\"\x07\"/>"), "a control character"},
};

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        char why[MED_XHTML_TEXT];
        if (!med_xhtml_check(med_str_from(good[i]), why))
            fail_msg("%s: %s", good[i], why);
    }
}

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char why[MED_XHTML_TEXT];
        if (med_xhtml_check(med_str_from(bad[i].text), why))
            fail_msg("taken: %s", bad[i].text);
        if (strstr(why, bad[i].says) == NULL)
            fail_msg("%s: %s", bad[i].text, why);
    }
}

/* Each beginning of a good text is read to its end and no further (AddressSanitizer looks). */
static void test_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        size_t len = strlen(good[i]);
        for (size_t n = 0; n < len; n++) {
            char *copy = test_malloc(n + 1);
            memcpy(copy, good[i], n);
            copy[n] = '<'; /* what stands behind must not matter */
            char why[MED_XHTML_TEXT];
            (void)!med_xhtml_check((med_str){copy, n}, why);
            test_free(copy);
        }
    }
}

static void test_deep(void **state)
{
    (void)state;
    enum { MANY = MED_XHTML_DEPTH + 1, ROOM = MANY * 32 };
    for (int levels = MANY - 2; levels < MANY + 1; levels++) {
        char *text = test_calloc(1, ROOM);
        size_t len = (size_t)snprintf(text, ROOM, "<div " NS ">");
        for (int i = 1; i < levels; i++)
            len += (size_t)snprintf(text + len, ROOM - len, "<b>");
        for (int i = 1; i < levels; i++)
            len += (size_t)snprintf(text + len, ROOM - len, "</b>");
        len += (size_t)snprintf(text + len, ROOM - len, "</div>");
        char why[MED_XHTML_TEXT];
        assert_int_equal(med_xhtml_check((med_str){text, len}, why), levels <= MED_XHTML_DEPTH);
        test_free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
