/* See wrap.h. */
#include "bench/report/wrap.h"

#include "bench/base/shown.h"

#include <stdbool.h>
#include <string.h>

/* Whether a byte continues a letter. */
static bool continues(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

static bool is_blank(char byte)
{
    return (unsigned char)byte <= ' ' || byte == 0x7f;
}

static int width_of(const char *text, size_t length)
{
    int width = 0;
    for (size_t i = 0; i < length; i++)
        width += !continues(text[i]);
    return width;
}

int wrap_width(const char *text)
{
    return width_of(text, strlen(text));
}

/* Bytes of the word that begins here, or of as much of it as fits on a line. */
static size_t word_length(const char *text, int room)
{
    size_t length = 0;
    for (int width = 0; text[length] != '\0' && !is_blank(text[length]); length++) {
        width += !continues(text[length]);
        if (width > room)
            break;
    }
    return length;
}

/* What is not harmless takes one column, too. */
static void put_word(FILE *out, const char *word, size_t length)
{
    for (size_t i = 0, n; i < length; i += n) {
        bool harmless;
        n = shown_character(word + i, &harmless);
        if (harmless)
            fwrite(word + i, 1, n, out);
        else
            fputc('?', out);
    }
}

void wrap_print(FILE *out, const char *text, int columns, int first, int next)
{
    int column = fprintf(out, "%*s", first, ""), begin = column;
    for (const char *word = text; *word != '\0';) {
        size_t length = word_length(word, columns - next);
        int width = width_of(word, length);
        if (length > 0 && column > begin && column + 1 + width > columns) {
            fprintf(out, "\n%*s", next, "");
            column = begin = next;
        } else if (length > 0 && column > begin) {
            fputc(' ', out);
            column++;
        }
        put_word(out, word, length);
        column += width;
        word += length;
        while (*word != '\0' && is_blank(*word))
            word++;
    }
    fputc('\n', out);
}
