/* See gnuplot.h. Arguments reach gnuplot literally (-c), its user's settings do not (-d); no shell is involved. Paths start with
 * "/" or "./": to gnuplot a file name that starts with "<" or "|" would be a command. */
#include "plots/gnuplot.h"

#include "bench/base/files.h"
#include "bench/base/process.h"
#include "plots/scripts.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

static const double time_limit = 300; /* seconds: far beyond any page, yet not for ever */

static bool make_path(char path[PATH_MAX], const char *folder, const char *name, const char *ending, struct error *error)
{
    int length = snprintf(path, PATH_MAX, "%s%s/%s%s", folder[0] == '/' ? "" : "./", folder, name, ending);
    return (length > 0 && length < PATH_MAX) || fail(error, "the path of the plot %s is too long", name);
}

bool gnuplot_copy_scripts(const char *folder, struct error *error)
{
    const struct plot_script *script;
    for (int i = 0; (script = plot_script_get(i)); i++) {
        char path[PATH_MAX];
        if (!make_path(path, folder, script->name, "", error) ||
            !files_write(path, script->text, (size_t)(script->end - script->text), error))
            return false;
    }
    return true;
}

/* gnuplot says a stub where it had nothing to draw. */
static bool is_whole(const struct process_result *result)
{
    enum { TAIL = 31 };
    return strstr(result->output + (result->output_size > TAIL ? result->output_size - TAIL : 0), "</svg>") != NULL;
}

bool gnuplot_draw(const char *folder, const char *script, const char *name, struct error *error)
{
    char with[PATH_MAX], data[PATH_MAX], picture[PATH_MAX];
    if (!make_path(with, folder, script, ".gp", error) || !make_path(data, folder, name, ".dat", error) ||
        !make_path(picture, folder, name, ".svg", error))
        return false;
    const char *const argv[] = {"gnuplot", "-d", "-c", with, data, "/dev/stdout", NULL}; /* a pipe to here: only one of us writes files */
    struct process_request request = {.argv = argv, .time_limit = time_limit};
    struct process_result result = {0};
    struct error cause;
    if (!process_run(&request, &result, &cause))
        return fail(error, "the plots need gnuplot (package gnuplot-nox on Debian and Ubuntu): %.800s", cause.text);
    bool drawn = !result.timed_out && !result.signal && result.exit_status == 0 && is_whole(&result);
    if (drawn)
        drawn = files_write(picture, result.output, result.output_size, error);
    else
        fail(error, "gnuplot could not draw %.300s%s: %.600s", data, result.timed_out ? " in time" : "",
             result.errors[0] ? result.errors : "the picture is incomplete");
    process_result_free(&result);
    return drawn;
}
