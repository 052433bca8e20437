/* A task as one text, "modular modulus=7 brackets=no": read strictly, with what was expected when it is wrong, and one canonical
 * spelling to print. */
#include "tasks/family.h"

#include <stdio.h>
#include <string.h>

/* The next word of a text, cut where it is longer than any that means something. False: there is none. */
static bool next_word(const char **text, char word[TASK_NAME_MAX])
{
    *text += strspn(*text, " ");
    size_t n = strcspn(*text, " "), kept = n < TASK_NAME_MAX ? n : TASK_NAME_MAX - 1;
    memcpy(word, *text, kept);
    word[kept] = '\0';
    *text += n;
    return n > 0;
}

/* ---- Options ------------------------------------------------------------------------------------------------------------------- */

/* Appends and returns the new length; what does not fit is cut. */
static size_t append(size_t used, size_t capacity, char text[], const char *piece)
{
    if (used < capacity)
        snprintf(text + used, capacity - used, "%s", piece);
    return used + strlen(piece);
}

static void print_values(const struct task_option *option, const char *separator, size_t capacity, char text[])
{
    if (option->words[0] == NULL) {
        snprintf(text, capacity, "%lld%s%lld", (long long)option->least, separator, (long long)option->most);
        return;
    }
    size_t used = 0;
    for (int i = 0; i < TASK_WORDS_MAX && option->words[i] != NULL; i++) {
        used = append(used, capacity, text, i > 0 ? separator : "");
        used = append(used, capacity, text, option->words[i]);
    }
}

void spelling_options(const struct task_option *options, size_t capacity, char text[])
{
    size_t used = append(0, capacity, text, "");
    for (const struct task_option *option = options; option->name != NULL; option++) {
        char values[64];
        print_values(option, option->words[0] != NULL ? "|" : "..", sizeof values, values);
        used = append(used, capacity, text, option == options ? "" : " ");
        used = append(used, capacity, text, option->name);
        used = append(used, capacity, text, "=");
        used = append(used, capacity, text, values);
    }
}

/* A whole number without sign or leading zeros, of at most nine digits. */
static bool read_number(const char *text, int64_t *number)
{
    size_t n = strspn(text, "0123456789");
    if (n == 0 || n > 9 || text[n] != '\0' || (n > 1 && text[0] == '0'))
        return false;
    *number = 0;
    for (size_t i = 0; i < n; i++)
        *number = 10 * *number + (text[i] - '0');
    return true;
}

static bool read_value(const struct task_option *option, const char *text, int64_t *value)
{
    if (option->words[0] == NULL)
        return read_number(text, value) && *value >= option->least && *value <= option->most;
    for (int i = 0; i < TASK_WORDS_MAX && option->words[i] != NULL; i++)
        if (strcmp(text, option->words[i]) == 0) {
            *value = i;
            return true;
        }
    return false;
}

static bool read_option(struct task *task, const char *name, const char *word, bool seen[], const struct reason *reason)
{
    const struct task_option *options = task->family->options;
    char owner[TASK_QUOTED_SIZE], quoted[TASK_QUOTED_SIZE], list[160];
    size_t n = strcspn(word, "=");
    task_quote(name, owner);
    int i = 0;
    while (options[i].name != NULL && !(strlen(options[i].name) == n && strncmp(options[i].name, word, n) == 0))
        i++;
    if (options[i].name == NULL || word[n] == '\0') {
        spelling_options(options, sizeof list, list);
        return task_refuse(reason, "%s has no option %s; expected %s", owner, task_quote(word, quoted),
                           list[0] != '\0' ? list : "none");
    }
    if (!read_value(&options[i], word + n + 1, &task->option[i])) {
        print_values(&options[i], options[i].words[0] != NULL ? " or " : " to ", sizeof list, list);
        return task_refuse(reason, "%s of %s is %s; expected %s%s", options[i].name, owner, task_quote(word + n + 1, quoted),
                           options[i].words[0] != NULL ? "" : "a whole number from ", list);
    }
    if (seen[i])
        return task_refuse(reason, "%s: the option %s is given twice", owner, options[i].name);
    return seen[i] = true;
}

/* ---- The whole text ------------------------------------------------------------------------------------------------------------ */

static bool find_family(const char *name, const struct family **found)
{
    for (int i = 0; (*found = family_get(i)) != NULL; i++)
        if ((*found)->named != NULL ? (*found)->named(name) : strcmp(name, (*found)->name) == 0)
            return true;
    return false;
}

static bool refuse_name(const char *name, const struct reason *reason)
{
    char quoted[TASK_QUOTED_SIZE], list[160] = "";
    size_t used = 0;
    for (int i = 0; family_get(i) != NULL; i++) {
        used = append(used, sizeof list, list, i == 0 ? "" : family_get(i + 1) != NULL ? ", " : " or ");
        used = append(used, sizeof list, list, family_get(i)->spelled);
    }
    return task_refuse(reason, "unknown task %s; expected %s", task_quote(name, quoted), list);
}

bool spelling_read(const char *text, struct task *task, char name[TASK_NAME_MAX], const struct reason *reason)
{
    char word[TASK_NAME_MAX];
    bool seen[TASK_OPTIONS_MAX] = {false};
    next_word(&text, name);
    if (!find_family(name, &task->family))
        return refuse_name(name, reason);
    for (int i = 0; task->family->options[i].name != NULL; i++)
        task->option[i] = task->family->options[i].normal;
    while (next_word(&text, word))
        if (!read_option(task, name, word, seen, reason))
            return false;
    return true;
}

bool spelling_print(const struct task *task, const char *name, char text[TASK_NAME_MAX])
{
    const struct task_option *options = task->family->options;
    int used = snprintf(text, TASK_NAME_MAX, "%s", name);
    for (int i = 0; options[i].name != NULL && used < TASK_NAME_MAX; i++) {
        char number[24];
        snprintf(number, sizeof number, "%lld", (long long)task->option[i]);
        if (task->option[i] != options[i].normal)
            used += snprintf(text + used, (size_t)(TASK_NAME_MAX - used), " %s=%s", options[i].name,
                             options[i].words[0] != NULL ? options[i].words[task->option[i]] : number);
    }
    return used < TASK_NAME_MAX;
}
