/* See open.h. */
#include "bench/plugin/open.h"

#include "bench/plugin/guard.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define HOST ((uint32_t)FPRNN_MAJOR << 16 | FPRNN_MINOR)

/* What a plug-in of the first minor version has. */
#define SIZE_LEAST (offsetof(struct fprnn_plugin, destroy) + sizeof(void (*)(void)))

bool plugin_lists(const char *const *list, const char *word)
{
    for (; list != NULL && *list != NULL; list++)
        if (strcmp(*list, word) == 0)
            return true;
    return false;
}

/* Whether it can be asked for anything at all; these fields are where they are in every version. */
static bool check_version(const struct fprnn_plugin *plugin, struct error *error)
{
    if (plugin == NULL)
        return fail(error, "does not work with interface %d.%d, which is this program's", FPRNN_MAJOR, FPRNN_MINOR);
    if (plugin->magic != FPRNN_MAGIC)
        return fail(error, "what fprnn_plugin() returns does not begin with FPRNN_MAGIC; expected a struct fprnn_plugin");
    if (plugin->major != FPRNN_MAJOR)
        return fail(error,
                    "is for interface %u.%u, and this program has %d.%d; expected the same major version: build it with "
                    "this program's fprnn.h",
                    plugin->major, plugin->minor, FPRNN_MAJOR, FPRNN_MINOR);
    return plugin->size >= SIZE_LEAST ||
           fail(error, "its struct fprnn_plugin has %u bytes; expected at least %zu", plugin->size, SIZE_LEAST);
}

static bool check_whole(const struct fprnn_plugin *plugin, struct error *error)
{
    const struct {
        const char *field;
        bool there;
    } needed[] = {{"name", plugin->name != NULL},       {"summary", plugin->summary != NULL}, {"kind", plugin->kind != NULL},
                  {"cells", plugin->cells != NULL},     {"mixers", plugin->mixers != NULL},   {"dtypes", plugin->dtypes != NULL},
                  {"tensors", plugin->tensors != NULL}, {"plan", plugin->plan != NULL},       {"forward", plugin->forward != NULL},
                  {"destroy", plugin->destroy != NULL}};
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (!needed[i].there)
            return fail(error, "its %s is NULL; expected all but gradients, options, supports, count and backward",
                        needed[i].field);
    if (plugin->gradients != NULL && plugin->gradients[0] != NULL && plugin->backward == NULL)
        return fail(error, "lists gradients and has no backward()");
    return true;
}

const struct fprnn_plugin *plugin_open(const char *path, struct error *error)
{
    fenv_t environment; /* libraries built with -ffast-math change how this process rounds when they are loaded */
    fegetenv(&environment);
    guard_doing("while it was loaded");
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    fesetenv(&environment);
    if (library == NULL) {
        const char *reason = dlerror();
        guard_doing(NULL);
        size_t length = strlen(path);
        bool named = reason != NULL && strncmp(reason, path, length) == 0 && strncmp(reason + length, ": ", 2) == 0;
        fail(error, "%.700s; expected a shared library",
             reason == NULL ? "cannot be loaded"
             : named        ? reason + length + 2
                            : reason);
        return NULL;
    }
    const struct fprnn_plugin *(*function)(uint32_t host);
    void *symbol = dlsym(library, "fprnn_plugin");
    memcpy(&function, &symbol, sizeof function);
    const struct fprnn_plugin *plugin = NULL;
    if (symbol != NULL) {
        guard_doing("in fprnn_plugin()");
        plugin = function(HOST);
    }
    guard_doing(NULL);
    if (symbol == NULL)
        fail(error, "has no function fprnn_plugin(); expected a plug-in (docs/howto/write-a-plugin.md)");
    else if (check_version(plugin, error) && check_whole(plugin, error))
        return plugin;
    return NULL;
}

/* The bits of those words of a list that this program knows. */
static unsigned bits(const char *const *list, const char *const *words, int n)
{
    unsigned found = 0;
    for (int i = 0; i < n; i++)
        if (plugin_lists(list, words[i]))
            found |= 1u << i;
    return found;
}

static bool is_line(const char *text, size_t capacity)
{
    size_t length = strnlen(text, capacity);
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return false;
    return length < capacity;
}

bool plugin_facts(const struct fprnn_plugin *plugin, struct plugin_row *row, struct error *error)
{
    *row = (struct plugin_row){.exact = strcmp(plugin->kind, "exact") == 0,
                               .solver = strcmp(plugin->kind, "solver") == 0,
                               .cells = bits(plugin->cells, cell_names, CELL_COUNT),
                               .mixers = bits(plugin->mixers, mixer_names, MIXER_COUNT),
                               .gradients = (plugin_lists(plugin->gradients, "exact") ? GRADIENTS_EXACT : 0u) |
                                            (plugin_lists(plugin->gradients, "steps") ? GRADIENTS_STEPS : 0u)};
    if (!row->exact && !row->solver && strcmp(plugin->kind, "iterative") != 0)
        return fail(error, "its kind is \"%.40s\"; expected exact, iterative or solver", plugin->kind);
    if (row->cells == 0 || row->mixers == 0 || bits(plugin->dtypes, dtype_names, DTYPE_COUNT) == 0)
        return fail(error, "takes no %s that this program knows", row->cells == 0 ? "cell" : row->mixers == 0 ? "mixer" : "dtype");
    if (!is_line(plugin->summary, sizeof row->summary) ||
        (plugin->options != NULL && !is_line(plugin->options, sizeof row->options)))
        return fail(error, "its summary or options are no line of fewer than %zu bytes", sizeof row->summary);
    strcpy(row->summary, plugin->summary);
    strcpy(row->options, plugin->options != NULL ? plugin->options : "");
    return true;
}

FILE *plugin_move_output(struct error *error)
{
    int answer = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    FILE *stream = answer >= 0 ? fdopen(answer, "w") : NULL;
    if (stream == NULL || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
        fail(error, "standard output cannot be moved: %s", error_reason(errno));
        return NULL;
    }
    return stream;
}
