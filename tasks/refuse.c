/* See family.h: the reason for a refusal, in words. */
#include "tasks/family.h"

#include <stdarg.h>
#include <stdio.h>

bool task_refuse(const struct reason *reason, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason->text, reason->capacity, format, arguments);
    va_end(arguments);
    return false;
}
