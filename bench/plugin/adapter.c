/* See adapter.h. The plug-in works on copies, as a device does: upload() makes those of the inputs, which it cannot write, and
 * download() fetches the outputs, which lie between pages that it cannot touch. Copies are no part of what is timed. */
#include "bench/plugin/adapter.h"

#include "bench/base/clock.h"
#include "bench/plugin/guard.h"
#include "bench/plugin/open.h"
#include "impls/contract/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)FPRNN_OK == STATUS_OK && (int)FPRNN_UNSUPPORTED == STATUS_UNSUPPORTED &&
                   (int)FPRNN_OUT_OF_MEMORY == STATUS_OUT_OF_MEMORY && (int)FPRNN_NOT_CONVERGED == STATUS_NOT_CONVERGED &&
                   (int)FPRNN_DIVERGED == STATUS_DIVERGED && (int)FPRNN_SINGULAR == STATUS_SINGULAR &&
                   (int)FPRNN_NO_STABLE_POINT == STATUS_NO_STABLE_POINT && (int)FPRNN_INTERNAL == STATUS_INTERNAL &&
                   (int)STATUS_COUNT == (int)FPRNN_INTERNAL + 1,
               "codes of plug-ins are those of the contract");

/* A tensor as the plug-in sees it, and where it lies. */
struct bound {
    struct fprnn_tensor tensor;
    int64_t shape[TENSOR_DIMENSIONS], stride[TENSOR_DIMENSIONS];
    char name[GUARDED_NAME_SIZE];
    struct guarded memory;
};

/* Those that a call gets. */
struct bounds {
    const struct fprnn_tensor *listed[TENSORS_MAX];
    struct fprnn_tensors tensors;
};

enum { OUTPUT, FINAL, OUTPUTS };

struct plan {
    const struct fprnn_plugin *plugin;
    struct problem problem;
    bool exact, gradient;
    struct fprnn_problem told;
    struct fprnn_settings settings;
    struct fprnn_environment environment;
    struct option kept[OPTIONS_MAX];
    struct fprnn_option option[OPTIONS_MAX];
    const struct fprnn_option *options[OPTIONS_MAX];
    struct fprnn_plan *inner;
    struct bound input[TENSORS_MAX], output[OUTPUTS];
    struct bound left[OUTPUTS], loss[OUTPUTS], gradients[TENSORS_MAX]; /* of the backward pass: what forward() left, ... */
    struct bounds inputs;
    bool uploaded, fresh; /* fresh: nothing was computed from these inputs yet */
    double seconds;       /* of the last call of the plug-in in backward() */
};

/* ---- Words ------------------------------------------------------------------------------------------------------------------ */

static struct fprnn_problem tell_problem(const struct problem *p)
{
    return (struct fprnn_problem){.size = sizeof(struct fprnn_problem),
                                  .cell = cell_names[p->cell],
                                  .B = p->B,
                                  .T = p->T,
                                  .d = p->d,
                                  .N = p->N,
                                  .heads = p->heads,
                                  .mixer = mixer_names[p->mixer],
                                  .r = p->r,
                                  .m = problem_m(p),
                                  .s = p->s,
                                  .form = cell_facts[p->cell].has_form ? form_names[p->form] : "none",
                                  .feedback = feedback_names[p->feedback],
                                  .reads = reads_names[p->reads],
                                  .norm = norm_names[p->norm],
                                  .gate = gate_names[p->gate],
                                  .forget = forget_names[p->forget],
                                  .dtype = dtype_names[p->dtype]};
}

/* The options stay where they are in settings. */
static struct fprnn_settings tell_settings(const struct settings *settings, struct fprnn_option option[OPTIONS_MAX],
                                           const struct fprnn_option *options[OPTIONS_MAX])
{
    static const char *const gradients[] = {[GRADIENT_NONE] = "none", [GRADIENT_EXACT] = "exact", [GRADIENT_STEPS] = "steps"};
    for (int i = 0; i < settings->n_options; i++) {
        option[i] = (struct fprnn_option){sizeof option[i], settings->option[i].name, settings->option[i].value};
        options[i] = &option[i];
    }
    return (struct fprnn_settings){.size = sizeof(struct fprnn_settings),
                                   .l_max = settings->l_max,
                                   .tolerance = settings->tolerance,
                                   .quantile = settings->quantile,
                                   .damping = settings->damping,
                                   .damping_factor = settings->damping_factor,
                                   .patience = settings->patience,
                                   .gradient = gradients[settings->gradient],
                                   .gradient_steps = settings->gradient_steps,
                                   .n_options = settings->n_options,
                                   .option = options};
}

static struct fprnn_environment tell_environment(const struct environment *environment)
{
    return (struct fprnn_environment){.size = sizeof(struct fprnn_environment),
                                      .threads = environment->threads,
                                      .memory_limit = environment->memory_limit,
                                      .cache_bytes = environment->cache_bytes};
}

static struct status hear(const struct fprnn_status *said, const char *function)
{
    if (said->code < FPRNN_OK || said->code > FPRNN_INTERNAL)
        return status_at(STATUS_INTERNAL, -1, -1, "%s returned the code %d, which is none", function, said->code);
    return status_at((enum status_code)said->code, said->b, said->t, "%.*s", (int)strnlen(said->message, sizeof said->message),
                     said->message);
}

static struct fprnn_status fine(void)
{
    return (struct fprnn_status){.size = sizeof(struct fprnn_status), .code = FPRNN_OK, .b = -1, .t = -1};
}

/* ---- What it takes ---------------------------------------------------------------------------------------------------------- */

static void refuse_tensor(struct support *support, enum tensor_id id)
{
    support_no(support, "the problem has the tensor %s, which is not among those that the plug-in lists", tensor_names[id]);
}

static void supports(void *context, const struct problem *p, const struct settings *settings, const struct environment *environment,
                     struct support *support)
{
    const struct fprnn_plugin *plugin = ((const struct adapted *)context)->plugin;
    struct fprnn_option option[OPTIONS_MAX];
    const struct fprnn_option *options[OPTIONS_MAX];
    const struct fprnn_problem problem = tell_problem(p);
    const struct fprnn_settings how = tell_settings(settings, option, options);
    const struct fprnn_environment where = tell_environment(environment);
    struct fprnn_support answer = {.size = sizeof answer, .yes = 1};
    if (!plugin_lists(plugin->dtypes, problem.dtype))
        support_no(support, "dtype %s is not supported", problem.dtype);
    for (enum tensor_id id = 0; id < TENSORS_MAX && support->yes; id++)
        if (tensor_elements(p, id) > 0 && !tensor_row(p, id)->initial && !plugin_lists(plugin->tensors, tensor_names[id]))
            refuse_tensor(support, id);
    if (!support->yes)
        return;
    if (plugin->supports != NULL) {
        guard_doing("in supports()");
        plugin->supports(&problem, &how, &where, &answer);
        guard_doing(NULL);
    }
    if (answer.yes)
        support_memory(support, p, settings, environment,
                       (double)answer.host_bytes + problem_bytes(p) * (settings->gradient != GRADIENT_NONE ? 2 : 1));
    else
        support_no(support, "%.*s", (int)strnlen(answer.reason, sizeof answer.reason), answer.reason);
}

static void count(void *context, const struct problem *p, const struct settings *settings, const struct environment *environment,
                  int64_t l, struct work *work)
{
    const struct fprnn_plugin *plugin = ((const struct adapted *)context)->plugin;
    struct fprnn_option option[OPTIONS_MAX];
    const struct fprnn_option *options[OPTIONS_MAX];
    const struct fprnn_problem problem = tell_problem(p);
    const struct fprnn_settings how = tell_settings(settings, option, options);
    const struct fprnn_environment where = tell_environment(environment);
    struct fprnn_work answer = {sizeof answer, NAN, NAN, NAN, NAN};
    if (plugin->count == NULL)
        return;
    guard_doing("in count()");
    plugin->count(&problem, &how, &where, l, &answer);
    guard_doing(NULL);
    work->bytes = answer.bytes;
    work->operations = answer.operations;
    work->set = answer.set;
    work->exponentials = isnan(answer.exponentials) ? 0 : answer.exponentials;
}

/* ---- Tensors ---------------------------------------------------------------------------------------------------------------- */

/* Room for a tensor of that shape; once. kind: "input". */
static bool bind(struct bound *bound, const struct problem *p, const char *kind, const char *name, int rank, const int64_t *shape,
                 bool input)
{
    int64_t elements = 1;
    if (bound->tensor.data != NULL)
        return true;
    for (int i = rank; i-- > 0;) {
        bound->shape[i] = shape[i];
        bound->stride[i] = elements;
        elements *= shape[i];
    }
    snprintf(bound->name, sizeof bound->name, "the %s %s", kind, name);
    if (!guarded_make(&bound->memory, bound->name, (size_t)elements * dtype_size(p->dtype), input))
        return false;
    bound->tensor = (struct fprnn_tensor){.size = sizeof bound->tensor,
                                          .name = name,
                                          .dtype = dtype_names[p->dtype],
                                          .device = device_names[DEVICE_CPU],
                                          .rank = rank,
                                          .shape = bound->shape,
                                          .stride = bound->stride,
                                          .data = bound->memory.data};
    return true;
}

static bool bind_tensor(struct bound *bound, const struct problem *p, const char *kind, enum tensor_id id, bool input)
{
    int64_t shape[TENSOR_DIMENSIONS];
    int rank = tensor_shape(p, id, shape);
    return bind(bound, p, kind, tensor_names[id], rank, shape, input);
}

static bool bind_output(struct bound *bound, const struct problem *p, const char *kind, int which, bool input)
{
    const bool matrix = strchr(cell_facts[p->cell].final, 'N') != NULL;
    const int64_t output[] = {p->B, p->T, p->d}, final[] = {p->B, p->d, p->N};
    return which == OUTPUT ? bind(&bound[OUTPUT], p, kind, cell_facts[p->cell].output, 3, output, input)
                           : bind(&bound[FINAL], p, kind, "final", matrix ? 3 : 2, final, input);
}

static void list(struct bounds *bounds, const struct bound *bound)
{
    bounds->listed[bounds->tensors.n++] = &bound->tensor;
}

static void list_none(struct bounds *bounds)
{
    bounds->tensors = (struct fprnn_tensors){sizeof bounds->tensors, 0, bounds->listed};
}

/* ---- Plans ------------------------------------------------------------------------------------------------------------------ */

static void destroy(struct plan *plan)
{
    if (plan == NULL)
        return;
    if (plan->inner != NULL) {
        guard_doing("in destroy()");
        plan->plugin->destroy(plan->inner);
        guard_doing(NULL);
    }
    for (int i = 0; i < TENSORS_MAX; i++) {
        guarded_free(&plan->input[i].memory);
        guarded_free(&plan->gradients[i].memory);
    }
    for (int i = 0; i < OUTPUTS; i++) {
        guarded_free(&plan->output[i].memory);
        guarded_free(&plan->left[i].memory);
        guarded_free(&plan->loss[i].memory);
    }
    free(plan);
}

static double elapsed(struct plan *plan)
{
    return plan->seconds;
}

static struct status upload(struct plan *plan, const struct inputs *inputs)
{
    list_none(&plan->inputs);
    for (enum tensor_id id = 0; id < TENSORS_MAX; id++) {
        if (inputs->tensor[id] == NULL || tensor_elements(&plan->problem, id) == 0)
            continue;
        if (!plugin_lists(plan->plugin->tensors, tensor_names[id])) {
            struct support support;
            refuse_tensor(&support, id);
            return status_at(STATUS_UNSUPPORTED, -1, -1, "%s", support.reason);
        }
        if (!bind_tensor(&plan->input[id], &plan->problem, "input", id, true))
            return status_no_memory();
        guarded_put(&plan->input[id].memory, inputs->tensor[id]);
        list(&plan->inputs, &plan->input[id]);
    }
    plan->uploaded = plan->fresh = true;
    return status_ok();
}

/* Nothing of an answer to other inputs is left: every bit set is a NaN. */
static void forget(struct plan *plan)
{
    for (int i = 0; i < OUTPUTS; i++)
        if (plan->output[i].tensor.data != NULL)
            memset(plan->output[i].memory.data, 0xff, plan->output[i].memory.bytes);
    plan->fresh = false;
}

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    const struct problem *p = &plan->problem;
    struct fprnn_status said = fine();
    struct fprnn_trace told = {.size = sizeof told};
    struct bounds results;
    struct status given = forward_check(p, inputs, outputs);
    if (given.code != STATUS_OK)
        return given;
    if (!plan->uploaded)
        return status_at(STATUS_INTERNAL, -1, -1, "forward() before upload()");
    list_none(&results);
    list(&results, &plan->output[OUTPUT]);
    if (outputs->final != NULL) {
        if (!bind_output(plan->output, p, "output", FINAL, false))
            return status_no_memory();
        list(&results, &plan->output[FINAL]);
    }
    if (plan->fresh)
        forget(plan);
    bool traced = trace != NULL && !plan->exact;
    if (trace != NULL) {
        trace_begin(p, trace);
        trace_exact(p, trace);
        told = (struct fprnn_trace){.size = sizeof told,
                                    .l = trace->l,
                                    .residual = trace->residual,
                                    .keep = trace->keep,
                                    .n_keep = trace->n_keep,
                                    .sequences = trace->sequences,
                                    .n_sequences = trace->n_sequences,
                                    .iterates = trace->iterates};
    }
    guard_doing("in forward()");
    plan->plugin->forward(plan->inner, &plan->inputs.tensors, &results.tensors, traced ? &told : NULL, &said);
    guard_doing(NULL);
    if (traced) {
        trace->l_run = told.l_run;
        trace->applications = told.applications;
        trace->n_kept = told.n_kept >= 0 && told.n_kept <= trace->n_keep ? told.n_kept : 0;
    }
    return hear(&said, "forward()");
}

static struct status fetch(const struct bound *bound, void *to)
{
    if (to == NULL || bound->tensor.data == NULL)
        return status_ok();
    if (!guarded_whole(&bound->memory))
        return status_at(STATUS_INTERNAL, -1, -1, "the plug-in wrote to memory beside %s", bound->name);
    memcpy(to, bound->memory.data, bound->memory.bytes);
    return status_ok();
}

static struct status download(struct plan *plan, const struct outputs *outputs)
{
    struct status status = fetch(&plan->output[OUTPUT], outputs->h);
    return status.code == STATUS_OK ? fetch(&plan->output[FINAL], outputs->final) : status;
}

/* Copies of outputs, or of the derivatives by them, that the plug-in may read. */
static bool lend(struct plan *plan, const struct outputs *outputs, const char *kind, struct bound *bound, struct bounds *bounds)
{
    const void *const from[OUTPUTS] = {outputs != NULL ? outputs->h : NULL, outputs != NULL ? outputs->final : NULL};
    list_none(bounds);
    for (int i = 0; i < OUTPUTS; i++) {
        if (from[i] == NULL)
            continue;
        if (!bind_output(bound, &plan->problem, kind, i, true))
            return false;
        guarded_put(&bound[i].memory, from[i]);
        list(bounds, &bound[i]);
    }
    return true;
}

static struct status backward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs,
                              const struct outputs *grad_outputs, const struct gradients *gradients)
{
    const struct problem *p = &plan->problem;
    struct bounds left, loss, wanted;
    struct status given = backward_check(p, plan->gradient, inputs, outputs, grad_outputs, gradients);
    if (given.code != STATUS_OK)
        return given;
    if (!plan->uploaded)
        return status_at(STATUS_INTERNAL, -1, -1, "backward() before upload()");
    bool room = lend(plan, outputs, "output", plan->left, &left) && lend(plan, grad_outputs, "derivative by", plan->loss, &loss);
    list_none(&wanted);
    for (enum tensor_id id = 0; id < TENSORS_MAX && room; id++) {
        if (gradients->tensor[id] == NULL || tensor_elements(p, id) == 0)
            continue;
        room = bind_tensor(&plan->gradients[id], p, "gradient of", id, false);
        if (!room)
            break;
        memset(plan->gradients[id].memory.data, 0xff, plan->gradients[id].memory.bytes);
        list(&wanted, &plan->gradients[id]);
    }
    if (!room)
        return status_no_memory();
    struct fprnn_status said = fine();
    guard_doing("in backward()");
    double began = clock_seconds();
    plan->plugin->backward(plan->inner, &plan->inputs.tensors, &left.tensors, &loss.tensors, &wanted.tensors, &said);
    plan->seconds = clock_seconds() - began;
    guard_doing(NULL);
    struct status status = hear(&said, "backward()");
    for (enum tensor_id id = 0; id < TENSORS_MAX && status.code == STATUS_OK; id++)
        status = fetch(&plan->gradients[id], gradients->tensor[id]);
    return status;
}

static struct status make_plan(void *context, const struct problem *p, const struct settings *settings,
                               const struct environment *environment, struct plan **out);

/* The copies that a backward pass needs are made in each call: its time is the plug-in's own, by a clock around the call. A
 * forward pass needs none, and is timed as that of any other implementation. */
static void load(struct adapted *adapted, bool by_own_clock)
{
    const struct plugin_calls calls = {.context = adapted,
                                       .supports = supports,
                                       .count = count,
                                       .plan = make_plan,
                                       .upload = upload,
                                       .forward = forward,
                                       .backward = adapted->plugin->backward != NULL ? backward : NULL,
                                       .download = download,
                                       .elapsed = by_own_clock ? elapsed : NULL,
                                       .destroy = destroy};
    plugin_load(adapted->name, &calls);
}

static struct status make_plan(void *context, const struct problem *p, const struct settings *settings,
                               const struct environment *environment, struct plan **out)
{
    struct adapted *adapted = context;
    struct plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL || !bind_output(plan->output, p, "output", OUTPUT, false)) {
        free(plan);
        return status_no_memory();
    }
    plan->plugin = adapted->plugin;
    plan->problem = *p;
    plan->exact = strcmp(adapted->plugin->kind, "exact") == 0;
    plan->gradient = settings->gradient != GRADIENT_NONE;
    plan->told = tell_problem(p);
    plan->settings = tell_settings(settings, plan->option, plan->options);
    memcpy(plan->kept, settings->option, sizeof plan->kept);
    for (int i = 0; i < settings->n_options; i++) {
        plan->option[i].name = plan->kept[i].name;
        plan->option[i].value = plan->kept[i].value;
    }
    plan->environment = tell_environment(environment);
    load(adapted, plan->gradient);
    struct fprnn_status said = fine();
    guard_doing("in plan()");
    adapted->plugin->plan(&plan->told, &plan->settings, &plan->environment, &plan->inner, &said);
    guard_doing(NULL);
    struct status status = hear(&said, "plan()");
    if (status.code == STATUS_OK && plan->inner == NULL)
        status = status_at(STATUS_INTERNAL, -1, -1, "plan() said ok and left no plan");
    if (status.code != STATUS_OK) {
        plan->inner = NULL; /* whatever it left is nothing to free */
        destroy(plan);
        return status;
    }
    *out = plan;
    return status_ok();
}

void adapter_load(struct adapted *adapted)
{
    load(adapted, false);
}
