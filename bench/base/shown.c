/* See shown.h. */
#include "bench/base/shown.h"

#include "bench/base/number.h"

#include <stdint.h>
#include <string.h>

enum { CODE_SIZE = 12 };

/* Ranges of characters that are not seen, or change how others are. */
static const struct {
    uint32_t first, last;
} unseen[] = {
    {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},       {0x34f, 0x34f},     {0x61c, 0x61c},
    {0x115f, 0x1160}, {0x17b4, 0x17b5}, {0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x202e},
    {0x2060, 0x206f}, {0x3164, 0x3164}, {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0},
    {0xfff0, 0xfffb}, {0xfffe, 0xffff}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0x10ffff},
};

/* The code of a whole character of UTF-8 in its shortest form and its bytes; 0 bytes for anything else. */
static uint32_t decode(const unsigned char *text, size_t *bytes)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = text[0] < 0x80 ? 1 : text[0] < 0xc0 ? 0 : text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : text[0] < 0xf8 ? 4 : 0;
    uint32_t code = n <= 1 ? text[0] : text[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            *bytes = 0;
            return 0;
        }
        code = code << 6 | (text[i] & 0x3f);
    }
    bool sound = n > 0 && code >= least[n] && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
    *bytes = sound ? n : 0;
    return code;
}

size_t shown_character(const char *text, bool *harmless)
{
    size_t bytes;
    uint32_t code = decode((const unsigned char *)text, &bytes);
    *harmless = bytes > 0;
    for (size_t i = 0; i < sizeof unseen / sizeof unseen[0] && *harmless; i++)
        *harmless = code < unseen[i].first || code > unseen[i].last;
    return bytes > 0 ? bytes : 1;
}

/* The first character as it may be shown: itself, or its code in ASCII. Returns how many bytes of the text it is. */
static size_t show(const char *text, char shown[CODE_SIZE])
{
    bool harmless;
    size_t bytes = shown_character(text, &harmless), length;
    uint32_t code = decode((const unsigned char *)text, &length);
    if (harmless)
        snprintf(shown, CODE_SIZE, "%.*s", (int)bytes, text);
    else if (length <= 1)
        snprintf(shown, CODE_SIZE, "\\x%02x", (unsigned char)text[0]);
    else
        snprintf(shown, CODE_SIZE, "\\u%04x", code);
    return bytes;
}

static void show_all(FILE *out, const char *text, bool lines)
{
    char shown[CODE_SIZE];
    while (*text != '\0') {
        bool end = lines && *text == '\n';
        text += end ? 1 : show(text, shown);
        fputs(end ? "\n" : shown, out);
    }
}

void shown_line(FILE *out, const char *text)
{
    show_all(out, text, false);
}

void shown_lines(FILE *out, const char *text)
{
    show_all(out, text, true);
}

char *shown_copy(const char *text, size_t capacity, char copy[capacity])
{
    char shown[CODE_SIZE];
    size_t used = 0;
    copy[0] = '\0';
    while (*text != '\0') {
        text += show(text, shown);
        if (used + strlen(shown) >= capacity)
            break;
        used += (size_t)snprintf(copy + used, capacity - used, "%s", shown);
    }
    return copy;
}

/* Whether a spreadsheet would compute what a cell says; also with the wide forms of the same characters, and after blanks. */
static bool is_formula(const char *text)
{
    static const char *const signs[] = {"=", "+", "-", "@", "\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d", "\xef\xbc\xa0"};
    double number;
    if (text[0] == '\t' || text[0] == '\r' || text[0] == '\n')
        return true;
    const char *begin = text + strspn(text, " ");
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (strncmp(begin, signs[i], strlen(signs[i])) == 0)
            return !number_read_real(text, &number);
    return false;
}

void shown_cell(FILE *out, const char *text)
{
    char shown[CODE_SIZE];
    bool quoted = strpbrk(text, "\",\n") != NULL;
    fputs(quoted ? "\"" : "", out);
    fputs(is_formula(text) ? "'" : "", out);
    while (*text != '\0') {
        bool end = *text == '\n';
        text += end ? 1 : show(text, shown);
        fputs(end ? "\n" : shown[0] == '"' ? "\"\"" : shown, out);
    }
    fputs(quoted ? "\"" : "", out);
}

void shown_markdown(FILE *out, const char *text)
{
    char shown[CODE_SIZE];
    while (*text != '\0') {
        text += show(text, shown);
        for (const char *c = shown; *c != '\0'; c++) {
            if (strchr("|\\<>`*[", *c) != NULL)
                fputc('\\', out);
            fputc(*c, out);
        }
    }
}

void shown_plot(FILE *out, const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++)
        fputc(*c < ' ' || *c == 0x7f ? ' ' : *c > 0x7f ? '?' : *c == '"' || *c == '`' ? '\'' : *c == '\\' ? '/' : *c, out);
}
