/* See child_environment.h. */
#include "bench/base/child_environment.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char LOCALE[] = "LC_ALL=C.UTF-8";

/* What begins so is left out: languages; gnuplot's terminal, and where it looks for fonts and files; what shells read first, and how. */
static const char *const dropped[] = {
    "LC_",    "LANG=",      "LANGUAGE=", "GNUTERM=",  "GNUPLOT_",         "GNUHELP=", "GDFONTPATH=", "FIT_",
    "PAGER=", "SHELLOPTS=", "BASHOPTS=", "BASH_ENV=", "POSIXLY_CORRECT=", "CDPATH=",  "ENV=",        "BASH_FUNC_"};

static bool is_dropped(const char *variable)
{
    for (size_t i = 0; i < sizeof dropped / sizeof dropped[0]; i++)
        if (strncmp(variable, dropped[i], strlen(dropped[i])) == 0)
            return true;
    return false;
}

char **child_environment(bool (*leave_out)(const char *variable))
{
    size_t n = 0, kept = 0;
    while (environ != NULL && environ[n] != NULL)
        n++;
    char **child = calloc(n + 2, sizeof *child);
    if (child == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++)
        if (!is_dropped(environ[i]) && (leave_out == NULL || !leave_out(environ[i])))
            child[kept++] = environ[i];
    child[kept] = LOCALE;
    return child;
}
