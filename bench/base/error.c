/* See error.h. */
#include "bench/base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define AGAIN ", then give the same command again"

static const struct {
    int number;
    const char *text;
} reasons[] = {
    {ENOSPC, "No space left on device (for bytes, or for files: df, df -i); make room" AGAIN},
    {EDQUOT, "Disk quota exceeded; make room" AGAIN},
    {EFBIG, "File too large, for a limit (ulimit -f) or for the file system; raise the limit, or name another folder" AGAIN},
    {EROFS, "Read-only file system; mount it for writing, or name another folder" AGAIN},
    {EIO, "Input/output error: the disk or the way to it fails; see dmesg, or name another folder" AGAIN},
    {EMFILE, "Too many open files; raise the limit (ulimit -n)" AGAIN},
    {ENFILE, "Too many open files in system; end other programs" AGAIN},
};

bool fail(struct error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    error->outside = false;
    return false;
}

bool fail_outside(struct error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    error->outside = true;
    return false;
}

const char *error_reason(int number)
{
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].number == number)
            return reasons[i].text;
    return strerror(number);
}

bool fail_memory(struct error *error)
{
    return fail(error, "out of memory");
}
