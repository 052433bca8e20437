/* Texts from outside, in every medium: known ones, and random bytes, of which nothing may pass that a terminal, a spreadsheet, a page or
 * gnuplot would act on. What may pass is decided here by a second definition. */
#include "bench/base/random.h"
#include "bench/base/shown.h"
#include "bench/base/stream.h"
#include "bench/base/text.h"
#include "tests/support/scratch.h"

Suite *suite_shown(void);

enum { SEED = 20261201, RANDOM_TEXTS = 200000, LENGTH = 24 };

typedef void medium(FILE *out, const char *text);

static char *shown_by(medium *show, const char *text)
{
    struct stream out;
    ck_assert(stream_open(&out));
    show(out.file, text);
    ck_assert(stream_close(&out));
    return out.text;
}

static void expect(medium *show, const char *text, const char *expected)
{
    char *shown = shown_by(show, text);
    ck_assert_str_eq(shown, expected);
    free(shown);
}

START_TEST(known_texts)
{
    expect(shown_line, "Intel(R) Xeon(R) 2.1 GHz, 5 \xc2\xb5s \xc2\xb1 1", "Intel(R) Xeon(R) 2.1 GHz, 5 \xc2\xb5s \xc2\xb1 1");
    expect(shown_line, "a\x1b[31mb\x07\r\n\tc\x7f", "a\\x1b[31mb\\x07\\x0d\\x0a\\x09c\\x7f");
    expect(shown_line,
           "\xc2\x9b"
           "31m",
           "\\u009b31m"); /* C1: begins a sequence, too */
    expect(shown_line,
           "cod\xe2\x80\xae"
           "fdp.exe",
           "cod\\u202efdp.exe");                                                    /* turns what follows round */
    expect(shown_line, "pay\xe2\x80\x8bpal \xef\xbb\xbf", "pay\\u200bpal \\ufeff"); /* no width */
    expect(shown_line, "\xf3\xa0\x81\xa1", "\\ue0061");                             /* a tag: not seen at all */
    expect(shown_line, "\xff\xc3z\xc0\xaf\xed\xa0\x80\xe2\x82", "\\xff\\xc3z\\xc0\\xaf\\xed\\xa0\\x80\\xe2\\x82");
    expect(shown_line, "\xf0\x9f\x98\x80 \xe4\xbd\xa0", "\xf0\x9f\x98\x80 \xe4\xbd\xa0");
    expect(shown_lines, "two\nlines\x1b", "two\nlines\\x1b");
    expect(shown_cell, "=1+1", "'=1+1");
    expect(shown_cell, "@SUM(A1)", "'@SUM(A1)");
    expect(shown_cell, "+1", "'+1");
    expect(shown_cell, "-1+cmd|' /C calc'!A0", "'-1+cmd|' /C calc'!A0");
    expect(shown_cell, "\t=1", "'\\x09=1");
    expect(shown_cell, "  =1,2", "\"'  =1,2\"");
    expect(shown_cell,
           "\xef\xbc\x9d"
           "1",
           "'\xef\xbc\x9d"
           "1");
    expect(shown_cell, "-1.5", "-1.5");
    expect(shown_cell, "-1e-3", "-1e-3");
    expect(shown_cell, "a,\"b\"\nc", "\"a,\"\"b\"\"\nc\"");
    expect(shown_markdown, "a|b<script>`[x](y)\n*\\", "a\\|b\\<script\\>\\`\\[x](y)\\\\x0a\\*\\\\");
    expect(shown_plot, "a\tb\n\"`x`\" \\ \xc2\xb5", "a b ''x'' / ??");
    char copy[8];
    ck_assert_str_eq(shown_copy("ab\x1b"
                                "cd",
                                sizeof copy, copy),
                     "ab\\x1bc");
    ck_assert_str_eq(shown_copy("abcdef\x1b", sizeof copy, copy), "abcdef");
    ck_assert(text_is_plain("caf\xc3\xa9") && !text_is_plain("\xe2\x80\xae") && !text_is_plain("\xff") && !text_is_plain("\x1b"));
}
END_TEST

/* A second definition: printable ASCII, or what the C library decodes, beyond C1, and not of the ranges that hide or turn. */
static const char *harm(const char *text, const char *allowed)
{
    for (const char *c = text; *c != '\0';) {
        if ((unsigned char)*c < 0x80) {
            if ((*c < ' ' || *c == 0x7f) && strchr(allowed, *c) == NULL)
                return "a control character";
            c++;
            continue;
        }
        unsigned code = 0;
        int bytes = (unsigned char)*c >= 0xf0 ? 4 : (unsigned char)*c >= 0xe0 ? 3 : 2;
        for (int i = 0; i < bytes; i++) {
            if (((unsigned char)c[i] & 0xc0) != (i == 0 ? 0xc0 : 0x80))
                return "not UTF-8";
            code = code << 6 | ((unsigned char)c[i] & (i > 0 ? 0x3f : 0xff >> (bytes + 1)));
        }
        if (code < (bytes == 2 ? 0x80u : bytes == 3 ? 0x800u : 0x10000u) || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
            return "not UTF-8";
        if (code < 0xa0 || (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
            (code >= 0x2060 && code <= 0x206f) || code == 0xfeff || code == 0x61c || code == 0xad ||
            (code >= 0xe0000 && code < 0xe1000))
            return "a character that hides or turns";
        c += bytes;
    }
    return NULL;
}

/* Pieces that are likely to do harm, and any byte. */
static void make_text(uint64_t i, char text[8 * LENGTH])
{
    static const char *const pieces[] = {
        "=",   "+",   "-",     "@",        "\t",           "\r",           "\n",           "\"",
        ",",   "|",   "\x1b[", "\xc2\x9b", "\xe2\x80\xae", "\xe2\x81\xa6", "\xef\xbb\xbf", "`",
        "\\",  "<b>", " ",     "1.5",      "\x7f",         "\xc2\x85",     "\xc3\xa9",     "\xef\xbc\x9d",
        "e-3", "*",   "["};
    enum { PIECES = sizeof pieces / sizeof pieces[0] };
    uint64_t n = 1 + (uint64_t)(random_uniform(SEED, i, 0) * (LENGTH - 1));
    text[0] = '\0';
    for (uint64_t k = 1; k <= n; k++) {
        double what = random_uniform(SEED, i, 2 * k), which = random_uniform(SEED, i, 2 * k + 1);
        char byte[2] = {(char)(1 + (int)(which * 255)), '\0'};
        strcat(text, what < 0.5 ? pieces[(int)(which * PIECES)] : byte);
    }
}

START_TEST(random_texts)
{
    char text[8 * LENGTH], copy[LENGTH];
    for (uint64_t i = 0; i < RANDOM_TEXTS; i++) {
        make_text(i, text);
        static const struct {
            medium *show;
            const char *allowed;
        } media[] = {{shown_line, ""}, {shown_lines, "\n"}, {shown_cell, "\n"}, {shown_markdown, ""}, {shown_plot, ""}};
        for (size_t m = 0; m < sizeof media / sizeof media[0]; m++) {
            char *shown = shown_by(media[m].show, text);
            const char *harmful = harm(shown, media[m].allowed);
            ck_assert_msg(harmful == NULL, "medium %zu, text %llu: %s", m, (unsigned long long)i, harmful);
            if (media[m].show == shown_cell) {
                bool quoted = shown[0] == '"';
                char *end;
                const char *begin = shown + quoted + strspn(shown + quoted, " ");
                if (strchr("=+-@", *begin) != NULL && *begin != '\0')
                    ck_assert_msg((strtod(shown, &end), *end == '\0' && *begin == '-'), "cell %s", shown);
                size_t quotes = 0;
                for (const char *c = shown; *c != '\0'; c++) {
                    quotes += *c == '"';
                    ck_assert_msg((*c != ',' && *c != '\n') || quotes % 2 == 1, "a cell that ends: %s", shown);
                }
                ck_assert(quotes % 2 == 0);
            }
            if (media[m].show == shown_markdown)
                for (const char *c = shown; *c != '\0'; c += *c == '\\' && c[1] != '\0' ? 2 : 1)
                    ck_assert_msg(strchr("|<>`*[", *c) == NULL, "markup: %s", shown);
            if (media[m].show == shown_plot)
                ck_assert(strpbrk(shown, "\"`\\\t\n") == NULL);
            free(shown);
        }
        ck_assert(harm(shown_copy(text, sizeof copy, copy), "") == NULL);
        ck_assert(!text_is_plain(text) || harm(text, "") == NULL);
    }
}
END_TEST

Suite *suite_shown(void)
{
    Suite *suite = suite_create("shown");
    TCase *tests = tcase_create("shown");
    tcase_add_test(tests, known_texts);
    tcase_add_test(tests, random_texts);
    suite_add_tcase(suite, tests);
    return suite;
}
