/* The command line, and the one place that prints errors. ./run.sh builds this program and hands its arguments on. */
#include "bench/conclude.h"
#include "bench/list.h"
#include "bench/run.h"
#include "bench/worker.h"

#include <limits.h>
#include <signal.h>
#include <string.h>

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 130 }; /* bench/help.txt says what they mean */

static const int run_status[] = {[RUN_COMPLETE] = EXIT_OK, [RUN_FAILED] = EXIT_FAILED, [RUN_INTERRUPTED] = EXIT_INTERRUPTED};

struct arguments {
    const char *command; /* "list", "check", "draw", "worker" or a sweep file */
    const char *file;
    const char *results;
    bool many, fresh, retry;
};

/* Options without a value. */
static const struct {
    const char *word;
    size_t offset; /* of a bool in struct arguments */
} switches[] = {
    {"--yes", offsetof(struct arguments, many)},
    {"--fresh", offsetof(struct arguments, fresh)},
    {"--retry", offsetof(struct arguments, retry)},
};

static bool read_switch(const char *word, struct arguments *arguments)
{
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++)
        if (strcmp(word, switches[i].word) == 0)
            return *(bool *)((char *)arguments + switches[i].offset) = true;
    return false;
}

static bool arguments_read(int argc, char **argv, struct arguments *arguments, struct error *error)
{
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (read_switch(word, arguments))
            continue;
        if (strcmp(word, "--results") == 0 && i + 1 < argc && argv[i + 1][0] != '\0')
            arguments->results = argv[++i];
        else if (word[0] == '-')
            return fail(error, "%s: no such option%s; ./run.sh --help lists them", word,
                        strcmp(word, "--results") == 0 ? " without a folder" : "");
        else if (arguments->command == NULL)
            arguments->command = word;
        else if (arguments->file == NULL)
            arguments->file = word;
        else
            return fail(error, "%s: one file at a time; ./run.sh --help", word);
    }
    if (arguments->command == NULL)
        return fail(error, "expected a sweep file, list, or check FILE; ./run.sh --help");
    bool draws = strcmp(arguments->command, "draw") == 0, wants_file = draws || strcmp(arguments->command, "check") == 0;
    if (wants_file && arguments->file == NULL)
        return fail(error, "%s: expected %s after it", arguments->command, draws ? "the folder of a run" : "a sweep file");
    if (!wants_file && arguments->file != NULL)
        return fail(error, "%s: expected nothing after %s", arguments->file, arguments->command);
    return true;
}

/* Prints the error and gives the status that goes with it. */
static int refuse(const struct error *error)
{
    fflush(stdout);
    fprintf(stderr, "%s\n", error->text);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {0};
    struct error error;
    char program[PATH_MAX], root[PATH_MAX], results[PATH_MAX];
    enum run_end end;

    signal(SIGXFSZ, SIG_IGN); /* a file-size limit is an error of write(), with a message, not our death */
    signal(SIGPIPE, SIG_IGN); /* nobody reads the progress any more: the measuring goes on */
    if (!arguments_read(argc, argv, &arguments, &error))
        return refuse(&error);
    if (strcmp(arguments.command, "worker") == 0)
        return worker_run(stdin, stdout, &error) ? EXIT_OK : refuse(&error);
    if (strcmp(arguments.command, "check") == 0)
        return check_print(stdout, arguments.file, arguments.many, &error) ? EXIT_OK : refuse(&error);

    if (strcmp(arguments.command, "draw") == 0)
        return conclude_again(arguments.file, stdout, &error) ? EXIT_OK : refuse(&error);

    if (!root_find(program, root, &error))
        return refuse(&error);
    if (strcmp(arguments.command, "list") == 0)
        return list_print(stdout, root, &error) ? EXIT_OK : refuse(&error);

    snprintf(results, sizeof results, "%.*s/results", PATH_MAX - 16, root);
    const struct run_request request = {.sweep_path = arguments.command,
                                        .program = program,
                                        .results = arguments.results != NULL ? arguments.results : results,
                                        .many = arguments.many,
                                        .fresh = arguments.fresh,
                                        .retry = arguments.retry};
    return run_sweep(&request, stdout, &end, &error) ? run_status[end] : refuse(&error);
}
