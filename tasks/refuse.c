/* See family.h: the reason for a refusal, in words, with what the user gave in quotes. */
#include "tasks/family.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool task_refuse(const struct reason *reason, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason->text, reason->capacity, format, arguments);
    va_end(arguments);
    return false;
}

const char *task_quote(const char *text, char quoted[TASK_QUOTED_SIZE])
{
    const size_t most = TASK_QUOTED_SIZE - sizeof "\"...\"";
    size_t n = strlen(text), shown = n > most ? most : n;
    quoted[0] = '"';
    for (size_t i = 0; i < shown; i++)
        quoted[i + 1] = text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?';
    memcpy(quoted + shown + 1, n > shown ? "...\"" : "\"", n > shown ? 5 : 2);
    return quoted;
}
