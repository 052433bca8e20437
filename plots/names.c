/* See names.h. */
#include "plots/names.h"

#include "bench/base/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void names_free(struct names *names)
{
    free(names->figure);
    free(names->taken);
    memset(names, 0, sizeof *names);
}

static void clean(const char *wanted, plot_name name)
{
    enum { ROOM_FOR_NUMBER = 12 };
    snprintf(name, PLOT_NAME_SIZE - ROOM_FOR_NUMBER, "%s", wanted);
    for (char *at = name; *at; at++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", *at) && (*at != '.' || at == name))
            *at = '_';
}

static bool contains(plot_name *list, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(list[i], name))
            return true;
    return false;
}

static bool append(plot_name **list, size_t *n, const plot_name name)
{
    plot_name *grown = realloc(*list, (*n + 1) * sizeof *grown);
    if (!grown)
        return false;
    *list = grown;
    memcpy(grown[(*n)++], name, PLOT_NAME_SIZE);
    return true;
}

bool names_note(struct names *names, const char *figure)
{
    plot_name name = "";
    clean(figure, name);
    return append(&names->figure, &names->n_figures, name);
}

bool names_take(struct names *names, const char *wanted, plot_name name)
{
    plot_name base;
    clean(wanted, base);
    memset(name, 0, PLOT_NAME_SIZE);
    snprintf(name, PLOT_NAME_SIZE, "%s", base);
    for (int i = 2; contains(names->taken, names->n_taken, name); i++)
        snprintf(name, PLOT_NAME_SIZE, "%s_%d", base, i);
    return append(&names->taken, &names->n_taken, name);
}

/* NAME, or NAME-2, NAME_2, NAME-2_2 and so on: what pages of a figure are called. */
static bool is_page_of(const char *figure, const char *page)
{
    size_t length = strlen(figure);
    if (strncmp(page, figure, length) != 0)
        return false;
    for (const char *at = page + length; *at;) {
        size_t digits = *at == '-' || *at == '_' ? strspn(at + 1, "0123456789") : 0;
        if (!digits)
            return false;
        at += 1 + digits;
    }
    return true;
}

static bool is_stale(const char *file, void *context)
{
    const struct names *names = context;
    static const char *const endings[] = {".svg", ".dat"};
    plot_name page = "";
    size_t length = strlen(file), ending = strlen(endings[0]);
    if (length <= ending || length - ending >= sizeof page ||
        (strcmp(file + length - ending, endings[0]) != 0 && strcmp(file + length - ending, endings[1]) != 0))
        return false;
    memcpy(page, file, length - ending);
    if (contains(names->taken, names->n_taken, page))
        return false;
    for (size_t i = 0; i < names->n_figures; i++)
        if (is_page_of(names->figure[i], page))
            return true;
    return false;
}

void names_remove_others(const struct names *names, const char *folder)
{
    files_clear(folder, is_stale, (void *)names);
}
