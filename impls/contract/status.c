/* What an implementation answers. */
#include "impls/impl.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

const char *const status_names[STATUS_COUNT] = {"ok",       "unsupported", "out_of_memory",   "not_converged",
                                                "diverged", "singular",    "no_stable_point", "internal"};

struct status status_ok(void)
{
    return (struct status){.code = STATUS_OK, .b = -1, .t = -1};
}

struct status status_at(enum status_code code, int64_t b, int64_t t, const char *format, ...)
{
    struct status status = {.code = code, .b = b, .t = t};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(status.message, sizeof status.message, format, arguments);
    va_end(arguments);
    return status;
}

void status_print(const struct status *status, char text[STATUS_SIZE])
{
    if (status->b < 0)
        snprintf(text, STATUS_SIZE, "%s", status->message);
    else
        snprintf(text, STATUS_SIZE, "sequence %" PRId64 ", t %" PRId64 ": %s", status->b, status->t, status->message);
}
