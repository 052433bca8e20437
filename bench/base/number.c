/* See number.h. strtoll and strtod accept far too much, so the form of a text is checked before they see it. The program never
 * leaves the C locale: the decimal point is a point. */
#include "bench/base/number.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t digits(const char *text)
{
    return strspn(text, "0123456789");
}

/* Length of an integer without leading zeros, its sign included; 0 when there is none. */
static size_t integer_length(const char *text)
{
    size_t sign = text[0] == '-', n = digits(text + sign);
    return n == 0 || (n > 1 && text[sign] == '0') ? 0 : sign + n;
}

bool number_read_integer(const char *text, int64_t *number)
{
    size_t n = integer_length(text);
    if (n == 0 || text[n] != '\0')
        return false;
    errno = 0;
    long long read = strtoll(text, NULL, 10);
    if (errno != 0)
        return false;
    *number = read;
    return true;
}

static bool has_form_of_real(const char *text)
{
    size_t whole = integer_length(text), sign = text[0] == '-';
    const char *rest = text + (whole > 0 ? whole : sign);
    if (*rest == '.') {
        size_t n = digits(rest + 1);
        if (n == 0)
            return false;
        rest += 1 + n;
    } else if (whole == 0) {
        return false;
    }
    if (*rest == 'e' || *rest == 'E') {
        rest++;
        rest += *rest == '-' || *rest == '+';
        size_t n = digits(rest);
        if (n == 0)
            return false;
        rest += n;
    }
    return *rest == '\0';
}

bool number_read_real(const char *text, double *number)
{
    if (!has_form_of_real(text))
        return false;
    double read = strtod(text, NULL);
    if (!isfinite(read))
        return false;
    *number = read + 0.0; /* -0 is 0: one spelling a number */
    return true;
}

void number_print_real(double number, size_t capacity, char text[capacity])
{
    for (int precision = 1; precision <= 17; precision++) {
        snprintf(text, capacity, "%.*g", precision, number);
        if (strtod(text, NULL) == number)
            break;
    }
    if (fabs(number) < 1e6 && number == floor(number)) /* 1000, not 1e+03 */
        snprintf(text, capacity, "%.0f", number);
    char *exponent = strchr(text, 'e'); /* "1e-06" -> "1e-6" */
    if (exponent == NULL)
        return;
    char *first = exponent + 1 + (exponent[1] == '-' || exponent[1] == '+'), *kept = first;
    while (*kept == '0')
        kept++;
    memmove(first, kept, strlen(kept) + 1);
    if (exponent[1] == '+')
        memmove(exponent + 1, exponent + 2, strlen(exponent + 2) + 1);
}
