/* See key_search.h. */
#include "bench/command/key_search.h"

#include "bench/base/text.h"

#include <stdio.h>
#include <string.h>

enum { DIGITS_LEAST = 4 };

bool key_search_begin(struct key_search *search, const char *digits, const char *what, size_t length, const char *expected,
                      struct error *error)
{
    char quoted[QUOTED_SIZE];
    size_t n = strlen(digits);
    *search = (struct key_search){.digits = digits, .what = what, .length = length};
    return (n >= DIGITS_LEAST && n < KEY_SIZE && strspn(digits, "0123456789abcdef") == n) ||
           fail(error, "%s is not a key of a %s; expected %d to %d hexadecimal digits, %s", text_quote(digits, quoted), what,
                DIGITS_LEAST, KEY_SIZE - 1, expected);
}

bool key_search_takes(struct key_search *search, const char *key)
{
    if (strncmp(key, search->digits, strlen(search->digits)) != 0)
        return false;
    if (search->found[0] != '\0' && strncmp(search->found, key, search->length) != 0)
        snprintf(search->other, sizeof search->other, "%.*s", (int)search->length, key);
    snprintf(search->found, sizeof search->found, "%.*s", (int)search->length, key);
    return true;
}

bool key_search_end(const struct key_search *search, const char *where, struct error *error)
{
    if (search->found[0] == '\0')
        return fail(error, "no %s below %.900s has a key that begins with %s", search->what, where, search->digits);
    if (search->other[0] != '\0')
        return fail(error, "%s begins the keys of several %ss, such as %s and %s; expected more digits", search->digits,
                    search->what, search->found, search->other);
    return true;
}
