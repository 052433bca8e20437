/* Plug-ins with a fault on purpose, which the word FAULT names: each costs its own point, or is refused when it is described, in
 * the words that the suite `plugin` expects. All that is right is that of scan.c. */
#include "bench/plugin/fprnn.h"

FPRNN_EXPORT const struct fprnn_plugin *fprnn_plugin_right(uint32_t host);

#define fprnn_plugin(host) fprnn_plugin_right(host)
#include "tests/plugin/scan.c"
#undef fprnn_plugin

#include <stdio.h>
#include <unistd.h>

#define IS(fault) (strcmp(FAULT, fault) == 0)

enum { LEAK = 32 << 20 };

static const struct fprnn_plugin *right;

static void hang(void)
{
    for (;;)
        sleep(1);
}

static int *volatile nowhere;
static void *volatile leaked;

static void bad_forward(struct fprnn_plan *plan, const struct fprnn_tensors *inputs, const struct fprnn_tensors *outputs,
                        struct fprnn_trace *trace, struct fprnn_status *status)
{
    static int calls;
    float *h = (float *)fprnn_data(outputs, "h");
    const int64_t n = plan->B * plan->T * plan->d;
    calls++;
    if (IS("crash"))
        *nowhere = 1;
    if (IS("hang"))
        hang();
    if (IS("exit"))
        exit(0);
    if (IS("end"))
        _exit(0);
    if (IS("input"))
        ((float *)fprnn_data(inputs, "v"))[0] = 1;
    while (IS("leak") && (leaked = malloc(LEAK)) != NULL)
        memset(leaked, 1, LEAK);
    if (IS("stale") && calls > 1)
        return;
    if (IS("print"))
        printf("{\"result\": \"ok\"}\n"), fflush(stdout);
    right->forward(plan, inputs, outputs, trace, status);
    if (IS("nothing"))
        memset(h, 0xff, (size_t)n * sizeof *h);
    if (IS("last"))
        h[n - 1] += 1;
    if (IS("beside"))
        h[n] = 1;
    if (IS("before"))
        h[-1] = 1;
    if (IS("beyond"))
        h[n + 64] = 1;
    if (IS("code"))
        status->code = 17;
    if (IS("says"))
        fprnn_fail(status, FPRNN_SINGULAR, "as it likes");
}

static void bad_plan(const struct fprnn_problem *problem, const struct fprnn_settings *settings,
                     const struct fprnn_environment *environment, struct fprnn_plan **out, struct fprnn_status *status)
{
    if (!IS("planless"))
        right->plan(problem, settings, environment, out, status);
}

static void refuse(const struct fprnn_problem *problem, const struct fprnn_settings *settings,
                   const struct fprnn_environment *environment, struct fprnn_support *support)
{
    (void)problem, (void)settings, (void)environment;
    fprnn_refuse(support, "d = 5 is no multiple of 8");
}

__attribute__((constructor)) static void loaded(void)
{
    if (IS("load_crash"))
        *nowhere = 1;
    if (IS("load_exit"))
        exit(0);
    if (IS("load_hang"))
        hang();
    if (IS("load_print"))
        printf("{}\n"), fflush(stdout);
}

const struct fprnn_plugin *fprnn_plugin(uint32_t host)
{
    static const char *const without_h0[] = {"v", "lambda", NULL}, *const without_lambda[] = {"v", "h0", NULL},
                             *const later[] = {"spiral", NULL}, *const more[] = {"spiral", "vector", NULL};
    static struct fprnn_plugin bad;
    right = fprnn_plugin_right(host);
    bad = *right;
    bad.forward = bad_forward;
    bad.plan = bad_plan;
    if (IS("major"))
        bad.major = 2, bad.minor = 7;
    if (IS("minor"))
        bad.minor = 9, bad.size += 64, bad.cells = more;
    if (IS("magic"))
        bad.magic = 1;
    if (IS("small"))
        bad.size = 16;
    if (IS("kind"))
        bad.kind = "quick";
    if (IS("cells"))
        bad.cells = later;
    if (IS("unlisted_initial"))
        bad.tensors = without_h0;
    if (IS("unlisted"))
        bad.tensors = without_lambda;
    if (IS("refuses"))
        bad.supports = refuse;
    return IS("refuses_host") ? NULL : &bad;
}
