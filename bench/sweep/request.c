/* See request.h. */
#include "bench/sweep/request.h"

#include "bench/base/text.h"
#include "bench/sweep/filter.h"

#include <stdio.h>
#include <string.h>

bool name_good(const char *text)
{
    static const char *const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t n = strlen(text);
    return n > 0 && n < SWEEP_NAME_MAX && strspn(text, allowed) == n && text[0] != '.' && text[0] != '-' && !text_reserved(text);
}

bool name_read(const struct source *source, const struct node *node, const char *what, char name[SWEEP_NAME_MAX])
{
    const char *text = node->kind == NODE_SCALAR ? node->text : "";
    if (!name_good(text))
        return fail_value(source, node, what, NAME_EXPECTED);
    snprintf(name, SWEEP_NAME_MAX, "%s", text);
    return true;
}

static bool read_field_name(const struct source *source, const struct node *node, const char *what, int *field)
{
    const char *names[FIELD_COUNT];
    char expected[64];
    for (int i = 0; i < FIELD_COUNT; i++)
        names[i] = fields[i].name;
    if (node->kind == NODE_SCALAR && (*field = field_named(source, node->text)) >= 0)
        return true;
    int former = node->kind == NODE_SCALAR ? field_find_former(node->text) : -1;
    if (former >= 0)
        return fail_at(source->error, &node->mark, "%s is now called %s", node->text, fields[former].name);
    const char *nearest = node->kind == NODE_SCALAR ? text_nearest(node->text, names, FIELD_COUNT) : NULL;
    snprintf(expected, sizeof expected, "the name of a field%s%s%s", nearest ? " (did you mean " : "", nearest ? nearest : "",
             nearest ? "?)" : "");
    return fail_value(source, node, what, expected);
}

/* series: or panel:, one field or a list. */
static bool read_field_names(const struct source *source, const struct node *node, const char *what, int field[PLOT_FIELDS_MAX],
                             int *n)
{
    *n = 0;
    if (node->kind != NODE_LIST) {
        *n = 1;
        return read_field_name(source, node, what, &field[0]);
    }
    if (node->n == 0 || node->n > PLOT_FIELDS_MAX)
        return fail_at(source->error, &node->mark, "%s lists %d fields; expected 1 to %d", what, node->n, PLOT_FIELDS_MAX);
    for (const struct node *entry = node->child; entry != NULL; entry = entry->next) {
        if (!read_field_name(source, entry, what, &field[*n]))
            return false;
        for (int i = 0; i < *n; i++)
            if (field[i] == field[*n])
                return fail_at(source->error, &entry->mark, "%s lists %s twice; expected distinct fields", what, entry->text);
        ++*n;
    }
    return true;
}

static bool read_kind(const struct source *source, const struct node *node, int *kind)
{
    const char *names[SWEEP_PLOTS_MAX];
    char list[400];
    *kind = node->kind == NODE_SCALAR ? vocabulary_find(source->vocabulary->plot, node->text) : -1;
    text_list(names, vocabulary_names(source->vocabulary->plot, SWEEP_PLOTS_MAX, names), sizeof list, list);
    return *kind >= 0 ? true : fail_value(source, node, "kind", list);
}

static bool read_request(const struct source *source, const struct node *node, struct plot_request *request)
{
    static const char *const keys[] = {"kind", "name", "x", "along", "series", "panel", "where"};
    int kind;
    if (node->kind != NODE_MAP)
        return fail_value(source, node, "an entry of plots", "{kind: ..., ...}");
    if (!keys_known(source, node, " in a plot", keys, sizeof keys / sizeof keys[0]))
        return false;
    const struct node *kind_node = node_find(node, "kind"), *name = node_find(node, "name"), *x = node_find(node, "x");
    const struct node *series = node_find(node, "series"), *panel = node_find(node, "panel"), *where = node_find(node, "where");
    const struct node *along = node_find(node, "along");
    if (kind_node == NULL)
        return fail_at(source->error, &node->mark, "a plot without kind; expected kind: and a word");
    if (!read_kind(source, kind_node, &kind))
        return false;
    request->x = request->along = -1;
    snprintf(request->kind, sizeof request->kind, "%s", source->vocabulary->plot(kind));
    snprintf(request->name, sizeof request->name, "%s", source->vocabulary->plot(kind));
    if ((name != NULL && !name_read(source, name, "name", request->name)) ||
        (x != NULL && !read_field_name(source, x, "x", &request->x)) ||
        (along != NULL && !read_field_name(source, along, "along", &request->along)) ||
        (series != NULL && !read_field_names(source, series, "series", request->series, &request->n_series)) ||
        (panel != NULL && !read_field_names(source, panel, "panel", request->panel, &request->n_panel)) ||
        (where != NULL && !filter_read(source, where, "where", &request->where)))
        return false;
    if (x != NULL && !source->vocabulary->takes_x(kind, request->x))
        return fail_at(source->error, &x->mark, "x is %s; expected a field that %s can be drawn along", x->text, request->kind);
    if (along != NULL && !source->vocabulary->takes_along(kind, request->along))
        return fail_at(source->error, &along->mark, "along is %s; expected a field that may vary along a curve of %s", along->text,
                       request->kind);
    return true;
}

bool requests_read(const struct source *source, const struct node *node, struct sweep *sweep)
{
    if (node->kind != NODE_LIST || node->n == 0 || node->n > SWEEP_PLOTS_MAX)
        return fail_value(source, node, "plots", "a list of 1 to 64 plots");
    for (const struct node *entry = node->child; entry != NULL; entry = entry->next) {
        struct plot_request *request = &sweep->plot[sweep->n_plots];
        if (!read_request(source, entry, request))
            return false;
        for (int i = 0; i < sweep->n_plots; i++)
            if (strcmp(sweep->plot[i].name, request->name) == 0)
                return fail_at(source->error, &entry->mark, "two plots are called %s; expected a name: for each", request->name);
        sweep->n_plots++;
    }
    return true;
}
