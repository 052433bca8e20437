/* The command line, and the one place that prints errors. ./run.sh builds this program and hands its arguments on. */
#include "bench/base/files.h"
#include "bench/base/inherited.h"
#include "bench/base/process.h"
#include "bench/base/shown.h"
#include "bench/command/blocks.h"
#include "bench/command/conclude.h"
#include "bench/command/data.h"
#include "bench/command/dump.h"
#include "bench/command/list.h"
#include "bench/command/predict.h"
#include "bench/command/run.h"
#include "bench/command/single.h"
#include "bench/report/dictionary.h"
#include "bench/machine/machine_threads.h"
#include "bench/machine/machine_print.h"
#include "bench/machine/product.h"
#include "bench/machine/roofs.h"
#include "bench/measure/worker.h"
#include "bench/plugin/describe.h"
#include "bench/plugin/skeleton.h"
#include "bench/plugin/work.h"

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 130 }; /* bench/command/help.txt says what they mean */

struct arguments {
    char *const *words;      /* all that follow the name of the program; NULL-terminated */
    const char *command;     /* a row of the table below, or a sweep file */
    const char *object;      /* what comes after it, or NULL */
    char *const *objects;    /* the same and all further ones, NULL-terminated, of a command that takes several */
    const char *results;     /* --results, or results/ beside run.sh */
    char *const *wrapper;    /* what comes after "--": a program, such as a debugger, and its arguments; NULL-terminated, or NULL */
    bool many, fresh, retry; /* --yes, --fresh, --retry */
    bool predict, check;     /* --predict, of the command machine; --check, of blocks */
    const char *scale;       /* of a sweep file, or NULL */
    const char *baseline;    /* of a sweep, or NULL */
    const char *length, *samples, *seed, *format; /* of the command data, or NULL */
    const char *batch, *block, *out;              /* of the command dump, or NULL */
    const char *plugin;                           /* of the command worker: what it loads, or NULL */
    char program[PATH_MAX], root[PATH_MAX];
};

/* ---- Commands: each leaves its exit status, or false and an error ------------------------------------------------------------ */

static bool do_sweep(const struct arguments *arguments, int *status, struct error *error)
{
    static const int ends[] = {[RUN_COMPLETE] = EXIT_OK, [RUN_FAILED] = EXIT_FAILED, [RUN_INTERRUPTED] = EXIT_INTERRUPTED};
    const struct run_request request = {.words = arguments->words,
                                        .sweep_path = arguments->command,
                                        .program = PROCESS_SELF,
                                        .results = arguments->results,
                                        .scale = arguments->scale,
                                        .baseline = arguments->baseline,
                                        .many = arguments->many,
                                        .fresh = arguments->fresh,
                                        .retry = arguments->retry};
    enum run_end end;
    bool good = run_sweep(&request, stdout, &end, error);
    *status = ends[end];
    return good;
}

static bool do_list(const struct arguments *arguments, int *status, struct error *error)
{
    (void)status;
    return list_print(stdout, arguments->root, error);
}

static bool do_machine(const struct arguments *arguments, int *status, struct error *error)
{
    char cards[PATH_MAX], sweep[PATH_MAX];
    (void)status;
    if (!arguments->predict && arguments->object != NULL)
        return fail(error, "%s: machine takes a sweep file only with --predict; expected nothing after machine", arguments->object);
    if (!arguments->predict)
        return machine_print(stdout, PROCESS_SELF, error);
    snprintf(cards, sizeof cards, "%.*s/bench/machine/cards.yaml", PATH_MAX - 32, arguments->root);
    snprintf(sweep, sizeof sweep, "%.*s/sweeps/gpu.yaml", PATH_MAX - 32, arguments->root);
    return predict_print(stdout, PROCESS_SELF, cards, arguments->object != NULL ? arguments->object : sweep, error);
}

static bool do_check(const struct arguments *arguments, int *status, struct error *error)
{
    (void)status;
    return check_print(stdout, arguments->object, arguments->scale, arguments->many, error);
}

static bool do_draw(const struct arguments *arguments, int *status, struct error *error)
{
    (void)status;
    return conclude_again(arguments->object, stdout, error);
}

static bool do_point(const struct arguments *arguments, int *status, struct error *error)
{
    bool failed = false;
    bool good = single_run(arguments->results, arguments->object, arguments->program, arguments->wrapper, stdout, &failed, error);
    *status = failed ? EXIT_FAILED : EXIT_OK;
    return good;
}

static bool do_data(const struct arguments *arguments, int *status, struct error *error)
{
    const struct data_request request = {.task = arguments->object,
                                         .length = arguments->length,
                                         .samples = arguments->samples,
                                         .seed = arguments->seed,
                                         .format = arguments->format};
    (void)status;
    return data_print(stdout, &request, error);
}

static bool do_dump(const struct arguments *arguments, int *status, struct error *error)
{
    const struct dump_request request = {.training = arguments->object,
                                         .results = arguments->results,
                                         .length = arguments->length,
                                         .batch = arguments->batch,
                                         .block = arguments->block,
                                         .file = arguments->out};
    (void)status;
    return dump_inputs(stdout, &request, error);
}

static bool do_blocks(const struct arguments *arguments, int *status, struct error *error)
{
    bool stale = false;
    bool good = blocks_run(stdout, arguments->root, arguments->objects, arguments->check, &stale, error);
    *status = stale && arguments->check ? EXIT_FAILED : EXIT_OK;
    return good;
}

static bool do_worker(const struct arguments *arguments, int *status, struct error *error)
{
    (void)status;
    struct error reason;
    FILE *in = arguments->object != NULL ? files_stream(arguments->object, &reason) : stdin;
    if (in == NULL)
        return fail(error, "%.300s: cannot read what to measure: %.600s", arguments->object, reason.text);
    FILE *out = stdout;
    bool good = (arguments->plugin == NULL || plugin_work(arguments->plugin, &out, error)) && worker_run(in, out, error);
    if (in != stdin)
        fclose(in);
    return good;
}

static bool do_new_impl(const struct arguments *arguments, int *status, struct error *error)
{
    (void)status;
    return skeleton_make(arguments->root, arguments->object, stdout, error);
}

static bool do_describe(const struct arguments *arguments, int *status, struct error *error)
{
    (void)status;
    return plugin_describe_command(arguments->object, error);
}

static bool do_roofs(const struct arguments *arguments, int *status, struct error *error)
{
    (void)arguments, (void)status;
    return roofs_command(stdin, stdout, error);
}

static bool do_product(const struct arguments *arguments, int *status, struct error *error)
{
    (void)arguments, (void)status;
    return product_command(stdout, error);
}

static bool do_columns(const struct arguments *arguments, int *status, struct error *error)
{
    (void)arguments, (void)status, (void)error;
    dictionary_print(stdout);
    return true;
}

static const struct {
    const char *name;
    const char *object;  /* what it needs after it, in words; NULL: nothing */
    bool needs, wrapped; /* the object must be there; a wrapper may be */
    bool several;        /* so may further objects */
    bool inner;          /* not for people: what the others start */
    bool (*run)(const struct arguments *, int *status, struct error *);
} commands[] = {
    {"list", NULL, false, false, false, false, do_list},
    {"machine", "a sweep file with --predict", false, false, false, false, do_machine},
    {"check", "a sweep file", true, false, false, false, do_check},
    {"draw", "the folder of a run", true, false, false, false, do_draw},
    {"point", "the key of a point (points.txt in a run's folder has them)", true, true, false, false, do_point},
    {"data", "a task, such as A5 or \"parity labels=all\"", true, false, false, false, do_data},
    {"dump", "a checkpoint, or the key of a training", true, false, false, false, do_dump},
    {"blocks", "markdown pages", true, false, true, false, do_blocks},
    {"new-impl", "a folder to be made, named as the kernel", true, false, false, false, do_new_impl},
    {"worker", "a file", false, false, false, true, do_worker},    /* for every round of a point */
    {"describe", "a file", true, false, false, true, do_describe}, /* for every plug-in */
    {"roofs", NULL, false, false, false, true, do_roofs},          /* for the machine's limits */
    {"product", NULL, false, false, false, true, do_product},      /* for its matrix products */
    {"columns", NULL, false, false, false, true, do_columns},      /* for docs/columns.md */
    {NULL, NULL, false, false, false, false, do_sweep},            /* anything else is a sweep file */
};

/* ---- Arguments ---------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *word;
    size_t offset; /* of a bool in struct arguments */
} switches[] = {
    {"--yes", offsetof(struct arguments, many)},    {"--fresh", offsetof(struct arguments, fresh)},
    {"--retry", offsetof(struct arguments, retry)}, {"--predict", offsetof(struct arguments, predict)},
    {"--check", offsetof(struct arguments, check)},
};

static const struct {
    const char *word;
    const char *what;    /* comes after it, in words */
    const char *command; /* what it is for, in words that name the commands; NULL: any */
    size_t offset;       /* of a text in struct arguments */
} texts[] = {
    {"--results", "a folder", NULL, offsetof(struct arguments, results)},
    {"--scale", "the name of a scale", "a sweep, or the command check", offsetof(struct arguments, scale)},
    {"--baseline", "an implementation", "a sweep", offsetof(struct arguments, baseline)},
    {"--length", "a number", "the command data or dump", offsetof(struct arguments, length)},
    {"--batch", "a number", "the command dump", offsetof(struct arguments, batch)},
    {"--block", "a number", "the command dump", offsetof(struct arguments, block)},
    {"--out", "a file", "the command dump", offsetof(struct arguments, out)},
    {"--plugin", "what a plug-in is", "the command worker", offsetof(struct arguments, plugin)},
    {"--samples", "a number", "the command data", offsetof(struct arguments, samples)},
    {"--seed", "a number", "the command data", offsetof(struct arguments, seed)},
    {"--format", "csv or tokens", "the command data", offsetof(struct arguments, format)},
};

enum { TEXTS = sizeof texts / sizeof texts[0] };

static const char **text_of(struct arguments *arguments, size_t row)
{
    return (const char **)((char *)arguments + texts[row].offset);
}

static bool read_switch(const char *word, struct arguments *arguments)
{
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++)
        if (strcmp(word, switches[i].word) == 0)
            return *(bool *)((char *)arguments + switches[i].offset) = true;
    return false;
}

/* An option, and the word after it where it takes one: then *next is moved on. */
static bool read_option(char **argv, int *next, struct arguments *arguments, struct error *error)
{
    const char *word = argv[*next], *value = argv[*next + 1];
    if (read_switch(word, arguments))
        return true;
    for (size_t i = 0; i < TEXTS; i++)
        if (strcmp(word, texts[i].word) == 0) {
            if (value == NULL || value[0] == '\0')
                return fail(error, "%s: expected %s after it; ./run.sh --help", word, texts[i].what);
            *text_of(arguments, i) = value;
            ++*next;
            return true;
        }
    return fail(error, "%s: no such option; ./run.sh --help lists them", word);
}

static bool read_words(int argc, char **argv, struct arguments *arguments, struct error *error)
{
    char **objects = calloc((size_t)argc + 1, sizeof *objects);
    int n_objects = 0;
    if (objects == NULL)
        return fail(error, "out of memory for %d arguments", argc);
    arguments->words = argv + (argc > 0);
    arguments->objects = objects;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (strcmp(word, "--") == 0) {
            arguments->wrapper = &argv[i + 1];
            break;
        }
        if (word[0] == '-') {
            if (!read_option(argv, &i, arguments, error))
                return false;
        } else if (arguments->command == NULL)
            arguments->command = word;
        else
            objects[n_objects++] = argv[i];
    }
    arguments->object = objects[0];
    return arguments->command != NULL || fail(error, "expected a sweep file or a command; ./run.sh --help");
}

/* The row of the command, after a look at what came with it; NULL with an error. */
static bool find_command(struct arguments *arguments, size_t *row, struct error *error)
{
    size_t i = 0;
    while (commands[i].name != NULL && strcmp(commands[i].name, arguments->command) != 0)
        i++;
    *row = i;
    if (commands[i].needs && arguments->object == NULL)
        return fail(error, "%s: expected %s after it", arguments->command, commands[i].object);
    if (!commands[i].several && arguments->object != NULL && arguments->objects[1] != NULL)
        return fail(error, "%s: a second argument; expected one; ./run.sh --help", arguments->objects[1]);
    if (arguments->check && commands[i].run != do_blocks)
        return fail(error, "--check: only for the command blocks");
    if (commands[i].name == NULL && arguments->object != NULL)
        return fail(error, "%s: no such command; expected one, or a sweep file alone; ./run.sh --help", arguments->command);
    if (commands[i].object == NULL && arguments->object != NULL)
        return fail(error, "%s: expected nothing after %s", arguments->object, arguments->command);
    if (arguments->wrapper != NULL && (!commands[i].wrapped || arguments->wrapper[0] == NULL))
        return fail(error,
                    commands[i].wrapped ? "--: expected a program after it, such as gdb --args" : "--: only for the command point");
    if (arguments->predict && commands[i].run != do_machine)
        return fail(error, "--predict: only for the command machine");
    for (size_t k = 0; k < TEXTS; k++)
        if (texts[k].command != NULL && *text_of(arguments, k) != NULL &&
            strstr(texts[k].command, commands[i].name != NULL ? commands[i].name : "a sweep") == NULL)
            return fail(error, "%s: only for %s", texts[k].word, texts[k].command);
    return true;
}

int main(int argc, char **argv)
{
    static struct arguments arguments;
    struct error error;
    size_t row;
    int status = EXIT_OK;
    inherited_settle();
    bool good = read_words(argc, argv, &arguments, &error) && find_command(&arguments, &row, &error) &&
                root_find(arguments.program, arguments.root, &error);
    if (good) {
        char results[PATH_MAX];
        snprintf(results, sizeof results, "%.*s/results", PATH_MAX - 16, arguments.root);
        if (arguments.results == NULL)
            arguments.results = results;
        if (!commands[row].inner)
            machine_settle_threads();
        else
            prctl(PR_SET_NAME, "bench"); /* in lists of processes: it was started as /proc/self/exe */
        good = commands[row].run(&arguments, &status, &error);
    }
    if (!good)
        status = EXIT_USAGE;
    bool whole = good ? inherited_output_whole(stdout, &error) : fflush(stdout) == 0;
    if (good && !whole && status == EXIT_OK)
        status = EXIT_USAGE;
    if (!good || !whole) {
        shown_lines(stderr, error.text);
        fputc('\n', stderr);
    }
    return status;
}
