/* See claims.h. */
#include "bench/sweep/claims.h"

#include "bench/base/text.h"
#include "bench/sweep/filter.h"

#include <string.h>

enum { CLAIM_TEXT_MAX = 400 };

/* A sentence for a cell of a table. */
static bool read_text(const struct source *source, const struct node *node, const char **text)
{
    const char *given = node->kind == NODE_SCALAR ? node->text : "";
    if (given[0] == '\0' || strlen(given) > CLAIM_TEXT_MAX || !text_is_plain(given))
        return fail_value(source, node, node->key, "a text of one line, at most 400 bytes");
    *text = given;
    return true;
}

static bool read_here(const struct source *source, const struct node *node, int *here)
{
    *here = node->kind == NODE_SCALAR ? vocabulary_find(source->vocabulary->quantity, node->text) : -1;
    return *here >= 0 || fail_value(source, node, node->key,
                                    "a column of table.csv that holds a number (docs/columns.md), such as token_accuracy, "
                                    "l_star_median or seconds_per_call_median");
}

/* A field that holds a number. */
static bool read_along(const struct source *source, const struct node *node, int *along)
{
    int field = node->kind == NODE_SCALAR ? field_named(source, node->text) : -1;
    bool number = field >= 0 && (fields[field].kind == VALUE_INTEGER || fields[field].kind == VALUE_REAL);
    *along = field;
    return number || fail_value(source, node, node->key, "a field that holds a number");
}

static bool read_claim(const struct source *source, const struct node *node, struct claim *claim)
{
    static const char *const keys[] = {"figure", "says", "where", "here", "differs", "along"};
    enum { FIGURE, SAYS, WHERE, HERE, DIFFERS, ALONG, KEYS };
    const struct node *of[KEYS];
    if (node->kind != NODE_MAP)
        return fail_value(source, node, "an entry of paper", "{figure: ..., says: ..., where: ..., here: ..., differs: ...}");
    if (!keys_known(source, node, " in an entry of paper", keys, KEYS))
        return false;
    for (int i = 0; i < KEYS; i++)
        if ((of[i] = node_find(node, keys[i])) == NULL && i != ALONG)
            return fail_at(source->error, &node->mark,
                           "an entry of paper without %s; expected figure, says, where, here and differs", keys[i]);
    claim->along = -1;
    return (of[ALONG] == NULL || read_along(source, of[ALONG], &claim->along)) && read_text(source, of[FIGURE], &claim->figure) &&
           read_text(source, of[SAYS], &claim->says) && filter_read(source, of[WHERE], "where", &claim->where) &&
           read_here(source, of[HERE], &claim->here) && read_text(source, of[DIFFERS], &claim->differs);
}

bool claims_read(const struct source *source, const struct node *node, struct sweep *sweep)
{
    if (node->kind != NODE_LIST || node->n == 0)
        return fail_value(source, node, "paper", "a list of {figure: ..., says: ..., where: ..., here: ..., differs: ...}");
    struct claim *claim = pool_take(source->pool, (size_t)node->n, sizeof *claim);
    if (claim == NULL)
        return fail_memory(source->error);
    sweep->claim = claim;
    for (const struct node *entry = node->child; entry != NULL; entry = entry->next)
        if (!read_claim(source, entry, &claim[sweep->n_claims++]))
            return false;
    return true;
}
