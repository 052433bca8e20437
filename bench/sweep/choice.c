/* See choice.h. */
#include "bench/sweep/choice.h"

#include "bench/base/files.h"
#include "bench/base/number.h"
#include "bench/base/text.h"
#include "bench/sweep/options.h"
#include "impls/contract/support.h"
#include "impls/registry/plugins.h"
#include "tasks/task.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool fail_value(const struct source *source, const struct node *node, const char *name, const char *expected)
{
    char quoted[QUOTED_SIZE];
    const char *what = node->kind == NODE_SCALAR ? text_quote(node->text, quoted) : node_kind_name(node);
    return fail_at(source->error, &node->mark, "%s is %s; expected %s", name, what, expected);
}

static bool fail_field(const struct source *source, const struct node *node, int field)
{
    char expected[256];
    field_expected(field, sizeof expected, expected);
    return fail_value(source, node, fields[field].name, expected);
}

int field_named(const struct source *source, const char *name)
{
    int field = field_find_any(name);
    return field < 0 && source->kept ? field_find_former(name) : field;
}

static bool among(const char *name, const char *const names[], int n)
{
    for (int i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

bool keys_known(const struct source *source, const struct node *map, const char *where, const char *const names[], int n)
{
    for (const struct node *entry = map->child; entry != NULL; entry = entry->next) {
        char quoted[QUOTED_SIZE], list[400];
        int former = field_find_former(entry->key);
        bool renamed = former >= 0 && among(fields[former].name, names, n);
        if (among(entry->key, names, n) || (renamed && source->kept))
            continue;
        if (renamed)
            return fail_at(source->error, &entry->key_mark, "%s is now called %s", entry->key, fields[former].name);
        text_quote(entry->key, quoted);
        const char *nearest = text_nearest(entry->key, names, n);
        if (nearest != NULL)
            return fail_at(source->error, &entry->key_mark, "unknown key %s%s; did you mean %s?", quoted, where, nearest);
        int field = field_find_any(entry->key);
        if (field >= 0 && fields[field].section != SECTION_TOP)
            return fail_at(source->error, &entry->key_mark, "unknown key %s%s; expected it in %s", quoted, where,
                           section_names[fields[field].section]);
        text_list(names, n, sizeof list, list);
        return fail_at(source->error, &entry->key_mark, "unknown key %s%s; expected %s", quoted, where, list);
    }
    return true;
}

/* ---- One scalar ----------------------------------------------------------------------------------------------------------- */

/* An option that takes more than a few words takes a number; how large it may be is the implementation's to say, of a problem. */
static bool check_counts(const struct source *source, const struct node *node, const struct options *options)
{
    struct settings settings = {.n_options = options->n};
    memcpy(settings.option, options->option, sizeof settings.option);
    for (int i = 0; i < options->n; i++) {
        const struct option *option = &options->option[i];
        struct option any = {.value = "?"}; /* no word of any list */
        bool counts = false;
        memcpy(any.name, option->name, sizeof any.name);
        for (enum cell cell = 0; cell < CELL_COUNT; cell++)
            counts |= option_allowed(registry_get_for(options->implementation, cell, DTYPE_FLOAT32, LEVEL_BASELINE)->options, &any);
        if (counts && option_count(&settings, option->name, 1) < 1) {
            char quoted[QUOTED_SIZE];
            return fail_at(source->error, &node->mark, "%s is %s; expected a whole number from 1 to 999999999999999", option->name,
                           text_quote(option->value, quoted));
        }
    }
    return true;
}

/* The canonical spelling of an implementation and its options. */
static bool spell_implementation(const struct source *source, const struct node *node, char text[VALUE_TEXT_MAX])
{
    struct options options;
    struct error reason;
    if (!options_read(node->text, &options, &reason))
        return fail_at(source->error, &node->mark, "%s", reason.text);
    if (!source->kept && !check_counts(source, node, &options))
        return false;
    options_print(&options, VALUE_TEXT_MAX, text);
    return true;
}

/* A name with a '/' is the file of a plug-in, relative to the folder of the sweep file. It stays as it was spelled: results of a
 * sweep mean the same wherever it is run from. */
static bool meet_plugin(const struct source *source, int field, const struct node *node)
{
    char name[PLUGIN_NAME_SIZE], path[PLUGIN_PATH_SIZE], quoted[QUOTED_SIZE];
    const char *from = node->text + strspn(node->text, " ");
    size_t length = strcspn(from, " ");
    const bool measured = field == FIELD_IMPLEMENTATION;
    if (memchr(from, '/', length) == NULL)
        return true;
    if (!measured || (!source->kept && source->vocabulary->plugin == NULL))
        return fail_at(source->error, &node->mark,
                       "%s is %s, a plug-in; expected a name that ./run.sh list shows: plug-ins may stand in "
                       "impls",
                       fields[field].name, text_quote(node->text, quoted));
    if (length >= sizeof name)
        return fail_at(source->error, &node->mark, "the path of a plug-in is too long; expected at most %zu bytes without blanks",
                       sizeof name - 1);
    if (source->kept)
        return true;
    snprintf(name, sizeof name, "%.*s", (int)length, from);
    struct error reason;
    int n = snprintf(path, sizeof path, "%s%s", name[0] == '/' ? "" : source->folder, name);
    if (n < 0 || (size_t)n >= sizeof path)
        return fail_at(source->error, &node->mark, "the path of %s is too long", text_quote(name, quoted));
    return source->vocabulary->plugin(name, path, &reason) || fail_at(source->error, &node->mark, "%.900s", reason.text);
}

/* The canonical spelling of a task and its options. */
static bool spell_task(const struct source *source, const struct node *node, char text[VALUE_TEXT_MAX])
{
    struct task *task;
    char reason[256];
    if (!task_open(node->text, &task, sizeof reason, reason))
        return fail_at(source->error, &node->mark, "%s", reason);
    snprintf(text, VALUE_TEXT_MAX, "%s", task_facts(task)->name);
    task_close(task);
    return true;
}

/* The name of a file as this process can open it: relative to the folder of the sweep file. */
static bool spell_path(const struct source *source, int field, const struct node *node, char text[VALUE_TEXT_MAX])
{
    char quoted[QUOTED_SIZE];
    struct error reason;
    int n = snprintf(text, VALUE_TEXT_MAX, "%s%s", node->text[0] == '/' ? "" : source->folder, node->text);
    if (n < 0 || n >= VALUE_TEXT_MAX)
        return fail_at(source->error, &node->mark, "the path of %s is too long; expected at most %d bytes",
                       text_quote(node->text, quoted), VALUE_TEXT_MAX - 1);
    if (source->kept)
        return true;
    int file = files_open(text, FILES_READ, &reason);
    if (file < 0)
        return fail_at(source->error, &node->mark, "%s: %s: %.500s; expected a readable file", fields[field].name,
                       text_quote(node->text, quoted), reason.text);
    close(file);
    json_t *representable = json_string(text); /* the folder may have a name that is not UTF-8 */
    bool utf8 = representable != NULL;
    json_decref(representable);
    return utf8 || fail_at(source->error, &node->mark, "%s: %s: a path that is not UTF-8; expected a readable file",
                           fields[field].name, text_quote(node->text, quoted));
}

static bool read_scalar(const struct source *source, int field, const struct node *node, struct value *value)
{
    char spelling[VALUE_TEXT_MAX];
    if (node->kind != NODE_SCALAR)
        return fail_field(source, node, field);
    bool none = field_may_be_none(field) && strcmp(node->text, "none") == 0;
    bool text = fields[field].kind == VALUE_TEXT && !none, file = text && fields[field].text == TEXT_FILE;
    bool respelt = text && !file;
    if (text && field_is_implementation(field) && !meet_plugin(source, field, node))
        return false;
    if (respelt && !(field_is_implementation(field) ? spell_implementation : spell_task)(source, node, spelling))
        return false;
    if (!field_read(field, respelt ? spelling : node->text, value))
        return fail_field(source, node, field);
    if (file && !spell_path(source, field, node, spelling))
        return false;
    if (value->kind == VALUE_TEXT && (value->text = pool_text(source->pool, spelling)) == NULL)
        return fail_memory(source->error);
    return true;
}

/* ---- Lists and ranges ----------------------------------------------------------------------------------------------------- */

typedef bool read_function(const struct source *, int field, const struct node *, struct value *);

static bool read_list(const struct source *source, int field, const struct node *node, read_function *read, struct choice *choice)
{
    char spelling[VALUE_TEXT_MAX], quoted[QUOTED_SIZE];
    if (node->n == 0)
        return fail_at(source->error, &node->mark, "%s is an empty list; expected at least one value", fields[field].name);
    struct value *value = pool_take(source->pool, (size_t)node->n, sizeof *value);
    if (value == NULL)
        return fail_memory(source->error);
    for (const struct node *entry = node->child; entry != NULL; entry = entry->next) {
        if (!read(source, field, entry, &value[choice->n]))
            return false;
        for (int i = 0; i < choice->n; i++) {
            if (value_equal(&value[i], &value[choice->n])) {
                field_print(field, &value[i], sizeof spelling, spelling);
                return fail_at(source->error, &entry->mark, "%s lists %s twice; expected distinct values", fields[field].name,
                               text_quote(spelling, quoted));
            }
        }
        choice->n++;
    }
    choice->value = value;
    return true;
}

/* A number of a range: from and to within the field's own range, factor and step as they come. */
static bool read_number(const struct source *source, int field, const struct node *range, const char *key, double *number)
{
    const struct node *node = node_find(range, key);
    struct value value;
    char expected[256];
    bool bound = strcmp(key, "from") == 0 || strcmp(key, "to") == 0;
    if (node == NULL)
        return fail_at(source->error, &range->mark, "a range of %s without %s; expected {from, to, factor} or {from, to, step}",
                       fields[field].name, key);
    field_expected(field, sizeof expected, expected);
    if (node->kind != NODE_SCALAR || !number_read_real(node->text, number) || (bound && !field_read(field, node->text, &value)))
        return fail_value(source, node, key, bound ? expected : "a number");
    return true;
}

/* The i-th number of a range; a real one to 12 digits, so that 0.1 + 2 * 0.1 is the 0.3 that one would write. */
static double range_number(const struct field *row, double from, bool factor, double by, int i)
{
    char text[32];
    double number = factor ? from * pow(by, i) : from + by * i;
    if (row->kind == VALUE_INTEGER)
        return round(number);
    snprintf(text, sizeof text, "%.12g", number);
    return strtod(text, NULL);
}

static bool read_range(const struct source *source, int field, const struct node *node, struct choice *choice)
{
    static const char *const keys[] = {"from", "to", "factor", "step"};
    const struct field *row = &fields[field];
    double from = 0, to = 0, by = 0;
    bool factor = node_find(node, "factor") != NULL;
    if (row->kind != VALUE_INTEGER && row->kind != VALUE_REAL)
        return fail_field(source, node, field);
    if (!keys_known(source, node, " in a range", keys, 4) || !read_number(source, field, node, "from", &from) ||
        !read_number(source, field, node, "to", &to) || !read_number(source, field, node, factor ? "factor" : "step", &by))
        return false;
    if (factor && node_find(node, "step") != NULL)
        return fail_at(source->error, &node->mark, "a range of %s with factor and step; expected one of them", row->name);
    if (from > to)
        return fail_at(source->error, &node->mark, "a range of %s with from above to; expected from <= to", row->name);
    if (factor ? by <= 1 || from == 0 : by <= 0)
        return fail_at(source->error, &node->mark, "a range of %s that never ends; expected %s", row->name,
                       factor ? "factor > 1 and from > 0" : "step > 0");
    struct value *value = pool_take(source->pool, YAML_ENTRIES_MAX, sizeof *value);
    if (value == NULL)
        return fail_memory(source->error);
    double last = to + 1e-9 * (factor ? to : by), number; /* rounding must not lose the end */
    for (int i = 0; (factor ? from * pow(by, i) : from + by * i) <= last; i++) {
        if (i == YAML_ENTRIES_MAX)
            return fail_at(source->error, &node->mark, "a range of %s with too many values; expected at most %d", row->name,
                           YAML_ENTRIES_MAX);
        number = fmin(range_number(row, from, factor, by, i), to);
        struct value next = {.kind = row->kind};
        if (row->kind == VALUE_INTEGER)
            next.integer = (int64_t)number;
        else
            next.real = number;
        if (choice->n == 0 || !value_equal(&value[choice->n - 1], &next))
            value[choice->n++] = next;
    }
    choice->value = value;
    return true;
}

static bool read_any(const struct source *source, int field, const struct node *node, read_function *read, struct choice *choice)
{
    *choice = (struct choice){0};
    if (node->kind == NODE_LIST)
        return read_list(source, field, node, read, choice);
    if (node->kind == NODE_MAP)
        return read_range(source, field, node, choice);
    struct value *value = pool_take(source->pool, 1, sizeof *value);
    if (value == NULL)
        return fail_memory(source->error);
    *choice = (struct choice){.value = value, .n = 1};
    return read(source, field, node, value);
}

bool choice_read(const struct source *source, int field, const struct node *node, struct choice *choice)
{
    return read_any(source, field, node, read_scalar, choice);
}

static bool read_condition(const struct source *source, int field, const struct node *node, struct value *value)
{
    bool none = node->kind == NODE_SCALAR && strcmp(node->text, "none") == 0;
    *value = (struct value){.kind = VALUE_NONE};
    if (!(none && !field_read(field, node->text, value)) && !read_scalar(source, field, node, value))
        return false;
    field_resolve(field, value);
    return true;
}

bool choice_read_condition(const struct source *source, int field, const struct node *node, struct choice *choice)
{
    return read_any(source, field, node, read_condition, choice);
}

bool choice_default(const struct source *source, int field, struct choice *choice)
{
    struct value *value = pool_take(source->pool, 1, sizeof *value);
    if (value == NULL)
        return fail_memory(source->error);
    *choice = (struct choice){.value = value, .n = 1};
    return field_read(field, fields[field].default_text, value) || fail(source->error, "invalid default of %s", fields[field].name);
}
