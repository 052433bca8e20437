/* See options.h. */
#include "bench/sweep/options.h"

#include "bench/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 64, WORD_MAX = 64 };

static const char *implementation_name(int index)
{
    return registry_get(index, DTYPE_FLOAT32, LEVEL_BASELINE)->name;
}

static bool fail_name(const char *name, struct error *error)
{
    const char *names[NAMES_MAX];
    char quoted[QUOTED_SIZE];
    int n = registry_count() < NAMES_MAX ? registry_count() : NAMES_MAX;
    for (int i = 0; i < n; i++)
        names[i] = implementation_name(i);
    const char *nearest = text_nearest(name, names, n);
    return nearest != NULL
               ? fail(error, "no implementation is called %s; did you mean %s?", text_quote(name, quoted), nearest)
               : fail(error, "no implementation is called %s; expected a name that ./run.sh list shows", text_quote(name, quoted));
}

/* The next word of a text: everything up to a blank. False when it does not fit. */
static bool next_word(const char **text, char word[WORD_MAX])
{
    size_t n = strcspn(*text, " ");
    if (n >= WORD_MAX)
        return false;
    memcpy(word, *text, n);
    word[n] = '\0';
    *text += n;
    *text += strspn(*text, " ");
    return true;
}

static bool is_plain(const char *text, size_t n, size_t capacity)
{
    static const char *const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-";
    return n > 0 && n < capacity && strspn(text, allowed) >= n;
}

static bool read_option(const char *word, struct options *options, struct error *error)
{
    struct option *option = &options->option[options->n];
    char quoted[QUOTED_SIZE];
    const char *equals = strchr(word, '=');
    size_t n = equals != NULL ? (size_t)(equals - word) : 0;
    const char *value = equals != NULL ? equals + 1 : "";
    if (!is_plain(word, n, sizeof option->name) || !is_plain(value, strlen(value), sizeof option->value))
        return fail(error, "%s is not an option; expected name=value, each of at most %zu letters, digits or _.+-",
                    text_quote(word, quoted), sizeof option->name - 1);
    if (options->n == OPTIONS_MAX)
        return fail(error, "too many options; expected at most %d", OPTIONS_MAX);
    snprintf(option->name, sizeof option->name, "%.*s", (int)n, word);
    snprintf(option->value, sizeof option->value, "%s", value);
    const char *known = NULL; /* of the first cell that has any; each of them may have its own */
    bool allowed = false;
    for (enum cell cell = CELL_COUNT; cell-- > 0;) {
        const char *its = registry_get_for(options->implementation, cell, DTYPE_FLOAT32, LEVEL_BASELINE)->options;
        allowed |= option_allowed(its, option);
        known = its != NULL ? its : known;
    }
    if (!allowed)
        return fail(error, "%s has no option %s; expected %s", implementation_name(options->implementation),
                    text_quote(word, quoted), known != NULL ? known : "none");
    for (int i = 0; i < options->n; i++)
        if (strcmp(options->option[i].name, option->name) == 0)
            return fail(error, "option %s is given twice; expected once", text_quote(option->name, quoted));
    options->n++;
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct option *)a)->name, ((const struct option *)b)->name);
}

bool options_read(const char *text, struct options *options, struct error *error)
{
    char word[WORD_MAX];
    memset(options, 0, sizeof *options);
    text += strspn(text, " ");
    if (!next_word(&text, word))
        return fail_name(text, error);
    if ((options->implementation = registry_find(word)) < 0)
        return fail_name(word, error);
    while (*text != '\0') {
        if (!next_word(&text, word))
            return fail(error, "an option is too long; expected name=value");
        if (!read_option(word, options, error))
            return false;
    }
    qsort(options->option, (size_t)options->n, sizeof options->option[0], by_name);
    return true;
}

void options_print(const struct options *options, size_t capacity, char text[capacity])
{
    int used = snprintf(text, capacity, "%s", implementation_name(options->implementation));
    for (int i = 0; i < options->n && used >= 0 && (size_t)used < capacity; i++)
        used += snprintf(text + used, capacity - (size_t)used, " %s=%s", options->option[i].name, options->option[i].value);
}
