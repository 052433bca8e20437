/* Rows of the registry that are not built in: plug-ins, whose names are paths of files (a name with a '/'). Their number is
 * limited and no file is touched here; bench/plugin/ describes and loads them. */
#ifndef IMPLS_REGISTRY_PLUGINS_H
#define IMPLS_REGISTRY_PLUGINS_H

#include "impls/impl.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PLUGINS_MAX = 32, PLUGIN_NAME_SIZE = 64, PLUGIN_TEXT_SIZE = 160, PLUGIN_PATH_SIZE = 1024, PLUGIN_DIGEST_SIZE = 40 };

/* What is known of a plug-in without loading it. */
struct plugin_row {
    char name[PLUGIN_NAME_SIZE]; /* as the sweep file spells it */
    char summary[PLUGIN_TEXT_SIZE], options[PLUGIN_TEXT_SIZE];
    char path[PLUGIN_PATH_SIZE];     /* of its file; "" of one that nobody described */
    char digest[PLUGIN_DIGEST_SIZE]; /* of the bytes of that file */
    char build[PLUGIN_DIGEST_SIZE];  /* of all that decides its numbers: that file, its libraries, and what calls it */
    bool exact, solver;
    unsigned cells, mixers, gradients; /* bits, as in struct implementation */
};

/* What a plug-in does once it is loaded. The first three get the context; all others a plan. */
struct plugin_calls {
    void *context;
    void (*supports)(void *context, const struct problem *, const struct settings *, const struct environment *, struct support *);
    void (*count)(void *context, const struct problem *, const struct settings *, const struct environment *, int64_t l,
                  struct work *);
    struct status (*plan)(void *context, const struct problem *, const struct settings *, const struct environment *,
                          struct plan **);
    struct status (*upload)(struct plan *, const struct inputs *);
    struct status (*forward)(struct plan *, const struct inputs *, const struct outputs *, struct trace *);
    struct status (*backward)(struct plan *, const struct inputs *, const struct outputs *, const struct outputs *grad_outputs,
                              const struct gradients *); /* NULL: has none */
    struct status (*download)(struct plan *, const struct outputs *);
    double (*elapsed)(struct plan *); /* NULL: the caller's clock */
    void (*destroy)(struct plan *);
};

bool plugin_named(const char *name); /* whether a name can only be a plug-in's */

/* The row of that name; NULL where there is none. One that was made by its name alone has no path. */
const struct plugin_row *plugin_row(const char *name);

/* Adds a row, or takes it in the place of the one with its name. False where there is no room for another. */
bool plugin_add(const struct plugin_row *row);

/* From now on the plug-in of that name, which has a row, is these functions. */
void plugin_load(const char *name, const struct plugin_calls *calls);

/* For registry.c: how many there are; the index among them of a name, which gets a row that says nothing where it has none (so that
 * what was measured earlier is read without the file), or -1; and the implementation. */
int plugin_count(void);
int plugin_find(const char *name);
const struct implementation *plugin_get(int index);

#ifdef __cplusplus
}
#endif

#endif
