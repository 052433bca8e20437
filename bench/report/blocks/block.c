/* See block.h. */
#include "bench/report/blocks/block.h"

#include "bench/base/number.h"
#include "bench/base/text.h"

#include <stdio.h>
#include <string.h>

enum { DIGITS = 3, DIGITS_MAX = 9 };

static const char *const kinds[BLOCK_KINDS] = {[BLOCK_TABLE] = "table", [BLOCK_COUNT] = "count", [BLOCK_ABOUT] = "about"};

/* ---- Folders and fields ------------------------------------------------------------------------------------------------- */

static bool read_folder(const struct source *source, const struct node *node, struct block *block)
{
    if (node->kind != NODE_SCALAR || node->text[0] == '\0' || node->text[0] == '/' || node->text[strlen(node->text) - 1] == '/')
        return fail_value(source, node, kinds[block->kind], "the folder of a run, such as results/reference/quick");
    if (block->n_folders == BLOCK_FOLDERS_MAX)
        return fail_value(source, node, kinds[block->kind], "fewer folders");
    block->folder[block->n_folders++] = node->text;
    return true;
}

static bool read_kind(const struct source *source, const struct node *node, struct block *block)
{
    const struct node *entry = NULL;
    for (int kind = 0; kind < BLOCK_KINDS && entry == NULL; kind++) {
        entry = node_find(node, kinds[kind]);
        block->kind = (enum block_kind)kind;
    }
    if (entry == NULL)
        return fail_at(source->error, &node->mark,
                       "not a kind of block; expected table:, count: or about: with the folder of a run");
    block->listed = entry->kind == NODE_LIST;
    if (!block->listed)
        return read_folder(source, entry, block);
    if (block->kind != BLOCK_ABOUT)
        return fail_value(source, entry, kinds[block->kind], "one folder");
    bool good = true;
    for (const struct node *one = entry->child; good && one != NULL; one = one->next)
        good = read_folder(source, one, block);
    return good;
}

static bool read_field(const struct source *source, const struct node *node, const char *what, int *field)
{
    const char *names[FIELD_COUNT], *nearest;
    char expected[80] = "the name of a field";
    for (int f = 0; f < FIELD_COUNT; f++)
        names[f] = fields[f].name;
    if (node->kind == NODE_SCALAR && (*field = field_find_any(node->text)) >= 0)
        return true;
    if (node->kind == NODE_SCALAR && (nearest = text_nearest(node->text, names, FIELD_COUNT)) != NULL)
        snprintf(expected, sizeof expected, "a field such as %s", nearest);
    return fail_value(source, node, what, expected);
}

static bool read_rows(const struct source *source, const struct node *node, struct block *block)
{
    bool good = true;
    if (node->kind == NODE_SCALAR)
        return read_field(source, node, "rows", &block->rows[block->n_rows++]);
    if (node->kind != NODE_LIST || node->n > BLOCK_FIELDS_MAX)
        return fail_value(source, node, "rows", "a list of at most 8 fields");
    for (const struct node *one = node->child; good && one != NULL; one = one->next)
        good = read_field(source, one, "rows", &block->rows[block->n_rows++]);
    return good;
}

/* ---- Columns and their heads -------------------------------------------------------------------------------------------- */

static bool read_column(const struct source *source, const struct node *node, const char *name, const struct column **column)
{
    char expected[120] = "a column of table.csv", quoted[QUOTED_SIZE];
    const char *names[COLUMN_COUNT], *nearest;
    enum column_id id = column_find(name);
    int n = 0;
    if (id < COLUMN_COUNT) {
        *column = &schema[id];
        return true;
    }
    for (int i = 0; i < COLUMN_COUNT; i++)
        if (schema[i].name != NULL)
            names[n++] = schema[i].name;
    if ((nearest = text_nearest(name, names, n)) != NULL)
        snprintf(expected, sizeof expected, "a column of table.csv such as %s", nearest);
    return fail_at(source->error, &node->mark, "no column is named %s; expected %s", text_quote(name, quoted), expected);
}

/* From one unit to another: they are the same, or differ in a prefix; a share in percent. False: neither. */
static bool unit_scale(const char *from, const char *to, double *scale)
{
    static const struct {
        char letter;
        double size;
    } prefix[] = {{'n', 1e-9}, {'u', 1e-6}, {'m', 1e-3}, {'k', 1e3}, {'M', 1e6}, {'G', 1e9}};
    *scale = 1;
    if (strcmp(from, to) == 0)
        return true;
    if (from[0] == '\0' && strcmp(to, "%") == 0) {
        *scale = 100;
        return true;
    }
    for (size_t i = 0; from[0] != '\0' && i < sizeof prefix / sizeof prefix[0]; i++)
        if (to[0] == prefix[i].letter && strcmp(to + 1, from) == 0) {
            *scale = 1 / prefix[i].size;
            return true;
        }
    return false;
}

/* Whether a unit says only what is counted. */
static bool is_count(const char *unit)
{
    static const char *const counts[] = {"", "1/token", "iterations", "nats", "processors", "sequences", "steps", "tokens"};
    bool found = false;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        found = found || strcmp(unit, counts[i]) == 0;
    return found;
}

/* "head [unit]". What is counted may stand without a unit; what is measured may not. */
static bool read_head(const struct source *source, const struct node *node, const char *unit, const char *head,
                      struct block_shown *shown)
{
    char own[32] = "";
    const char *open = strrchr(head, '['), *close = strrchr(head, ']');
    bool given = open != NULL && close != NULL && close > open && close[1] == '\0';
    if (given)
        snprintf(own, sizeof own, "%.*s", (int)(close - open - 1), open + 1);
    shown->head = head;
    shown->scale = 1;
    if (given ? unit_scale(unit, own, &shown->scale) : is_count(unit))
        return true;
    return fail_at(source->error, &node->mark, "the unit of a head is [%s]; expected [%s], with a prefix or without%s", own, unit,
                   unit[0] != '\0' ? "" : " one, or [%]");
}

/* A column, or the quotient of two. head: NULL where its name will do. */
static bool read_shown(const struct source *source, const struct node *node, const char *name, const char *head,
                       struct block *block)
{
    char first[128];
    const char *slash = strstr(name, " / ");
    if (block->n_shown == BLOCK_SHOWN_MAX)
        return fail_at(source->error, &node->mark, "too many columns; expected at most %d", BLOCK_SHOWN_MAX);
    struct block_shown *shown = &block->shown[block->n_shown++];
    snprintf(first, sizeof first, "%.*s", slash != NULL ? (int)(slash - name) : (int)strlen(name), name);
    if (!read_column(source, node, first, &shown->column) ||
        (slash != NULL && !read_column(source, node, slash + 3, &shown->divisor)))
        return false;
    bool plain = slash == NULL && block->over.n_conditions == 0 && block->along < 0;
    const char *unit = plain ? shown->column->unit : "";
    if (head != NULL)
        return read_head(source, node, unit, head, shown);
    char text[160];
    snprintf(text, sizeof text, unit[0] != '\0' ? "%s [%s]" : "%s", name, unit);
    shown->head = pool_text(source->pool, text);
    shown->scale = 1;
    return shown->head != NULL || fail_memory(source->error);
}

static bool read_show(const struct source *source, const struct node *node, struct block *block)
{
    bool good = true;
    if (node->kind == NODE_SCALAR)
        return read_shown(source, node, node->text, NULL, block);
    for (const struct node *one = node->child; good && one != NULL; one = one->next) {
        if (one->kind != NODE_SCALAR)
            return fail_value(source, one, "show", "columns of table.csv");
        good = node->kind == NODE_MAP ? read_shown(source, one, one->key, one->text, block)
                                      : read_shown(source, one, one->text, NULL, block);
    }
    return good;
}

/* ---- The whole ---------------------------------------------------------------------------------------------------------- */

static bool read_digits(const struct source *source, const struct node *node, struct block *block)
{
    int64_t digits;
    if (node->kind != NODE_SCALAR || !number_read_integer(node->text, &digits) || digits < 1 || digits > DIGITS_MAX)
        return fail_value(source, node, "digits", "a whole number from 1 to 9");
    block->digits = (int)digits;
    return true;
}

static bool read_result(const struct source *source, const struct node *node, struct block *block)
{
    block->result = node->kind == NODE_SCALAR ? result_find(node->text) : RESULT_COUNT;
    return block->result != RESULT_COUNT || fail_value(source, node, "result", "a result such as ok or diverged");
}

static bool read_each(const struct source *source, const struct node *node, struct block *block)
{
    block->any = node->kind == NODE_SCALAR && strcmp(node->text, "any") == 0;
    return block->any || fail_value(source, node, "each", "any");
}

bool block_read(const struct source *source, const struct node *node, struct block *block)
{
    static const char *const keys[][12] = {
        [BLOCK_TABLE] = {"table", "where", "result", "rows", "across", "show", "over", "along", "each", "digits"},
        [BLOCK_COUNT] = {"count", "where", "result", "rows", "of"},
        [BLOCK_ABOUT] = {"about"}};
    static const int n_keys[] = {[BLOCK_TABLE] = 10, [BLOCK_COUNT] = 5, [BLOCK_ABOUT] = 1};
    const struct node *entry;
    *block = (struct block){.mark = node->mark, .result = RESULT_COUNT, .across = -1, .along = -1, .digits = DIGITS};
    if (node->kind != NODE_MAP)
        return fail_value(source, node, "a block", "table:, count: or about: with the folder of a run");
    if (!read_kind(source, node, block) || !keys_known(source, node, " in a block", keys[block->kind], n_keys[block->kind]))
        return false;
    if (((entry = node_find(node, "where")) != NULL && !filter_read(source, entry, "where", &block->where)) ||
        ((entry = node_find(node, "result")) != NULL && !read_result(source, entry, block)) ||
        ((entry = node_find(node, "over")) != NULL && !filter_read(source, entry, "over", &block->over)) ||
        ((entry = node_find(node, "rows")) != NULL && !read_rows(source, entry, block)) ||
        ((entry = node_find(node, "across")) != NULL && !read_field(source, entry, "across", &block->across)) ||
        ((entry = node_find(node, "along")) != NULL && !read_field(source, entry, "along", &block->along)) ||
        ((entry = node_find(node, "each")) != NULL && !read_each(source, entry, block)) ||
        ((entry = node_find(node, "digits")) != NULL && !read_digits(source, entry, block)) ||
        ((entry = node_find(node, "show")) != NULL && !read_show(source, entry, block)))
        return false;
    if (block->kind == BLOCK_TABLE && block->n_shown == 0)
        return fail_at(source->error, &node->mark, "nothing to show; expected show: with columns of table.csv");
    entry = node_find(node, "of");
    if (entry != NULL && entry->kind != NODE_SCALAR)
        return fail_value(source, entry, "of", "a column of table.csv");
    return block->kind != BLOCK_COUNT ||
           read_column(source, entry != NULL ? entry : node, entry != NULL ? entry->text : "result", &block->of);
}
