/* See skeleton.h. The files are those of bench/plugin/skeleton/, with another name in the place of my_kernel. */
#include "bench/plugin/skeleton.h"

#include "bench/base/files.h"
#include "bench/base/shown.h"
#include "bench/base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { SOURCE_MAX = 1 << 16, NAME_MOST = 40 };

static const struct {
    const char *from, *to; /* NULL: NAME.c */
} files[] = {
    {"skeleton/my_kernel.c", NULL},
    {"skeleton/Makefile", "Makefile"},
    {"skeleton/sweep.yaml", "sweep.yaml"},
    {"fprnn.h", "fprnn.h"},
};

static bool is_name(const char *text)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)text[i]) && text[i] != '_')
            return false;
    return length > 0 && length <= NAME_MOST && isalpha((unsigned char)text[0]) && strcmp(text, "trained") != 0;
}

/* Where one of two texts comes next in a third. */
static const char *next_of(const char *text, const char *const what[2], int *which)
{
    const char *first = NULL;
    for (int i = 0; i < 2; i++) {
        const char *found = strstr(text, what[i]);
        if (found != NULL && (first == NULL || found < first))
            first = found, *which = i;
    }
    return first;
}

static bool copy(const char *root, const char *folder, const char *name, const char *from, const char *to, struct error *error)
{
    static char source[SOURCE_MAX], result[2 * SOURCE_MAX];
    char path[PATH_MAX], last[64], run[PATH_MAX];
    const char *const what[2] = {"my_kernel", "RUN_SH"};
    const char *const with[2] = {name, run};
    int which = 0;
    snprintf(run, sizeof run, "%.*s/run.sh", PATH_MAX - 16, root);
    snprintf(path, sizeof path, "%.*s/bench/plugin/%s", PATH_MAX - 64, root, from);
    if (!files_read_small(path, sizeof source, source))
        return fail(error, "%s: cannot be read; expected the folder of the sources", path);
    size_t used = 0;
    const char *rest = source;
    for (const char *next; (next = next_of(rest, what, &which)) != NULL; rest = next + strlen(what[which]))
        used += (size_t)snprintf(result + used, sizeof result - used, "%.*s%s", (int)(next - rest), rest, with[which]);
    used += (size_t)snprintf(result + used, sizeof result - used, "%s\n", rest);
    snprintf(last, sizeof last, "%s%s", to != NULL ? to : name, to != NULL ? "" : ".c");
    files_path(folder, last, path);
    return files_write(path, result, used, error);
}

bool skeleton_make(const char *root, const char *folder, FILE *out, struct error *error)
{
    char trimmed[FOLDER_SIZE], quoted[QUOTED_SIZE];
    bool taken;
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/')
        length--;
    if (length >= sizeof trimmed)
        return fail(error, "the path of the folder is too long");
    snprintf(trimmed, sizeof trimmed, "%.*s", (int)length, folder);
    const char *slash = strrchr(trimmed, '/'), *name = slash != NULL ? slash + 1 : trimmed;
    if (!is_name(name))
        return fail(error, "%s is no name of a kernel; expected at most %d letters, digits and _, a letter first",
                    text_quote(name, quoted), NAME_MOST);
    if (!files_make_new_folder(trimmed, &taken, error))
        return taken ? fail(error, "%s is there already; expected the name of a new folder", trimmed) : false;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (!copy(root, trimmed, name, files[i].from, files[i].to, error))
            return false;
    fputs("Made ", out);
    shown_line(out, trimmed);
    fprintf(out, "/: %s.c, Makefile, sweep.yaml and fprnn.h. Build it, and measure it beside diagonal_scan:\n\n    cd ", name);
    shown_line(out, trimmed);
    fputs("\n    make\n    ", out);
    shown_line(out, root);
    fputs("/run.sh sweep.yaml\n", out);
    return true;
}
