/* Prints a hash of what every implementation computes on the shared cases (tests/support/cases.c), one a line: two builds whose lines are
 * the same compute the same bits. tests/outputs.sh compares two commits with it, so that nothing but impls/impl.h is used here.
 *
 * Inputs are made from integers alone: multiples of powers of 2, exact in float32, so that they are the same bits in every build, on every
 * machine. The first line is their hash.
 *
 *   outputs */
#include "impls/impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

static const struct {
    int64_t B, T, d;
    bool initial;
} shapes[] = {{1, 1, 1, false}, {3, 7, 5, true}, {2, 33, 17, false}, {2, 19, 32, true}, {5, 2, 33, true}};

static const struct {
    enum mixer mixer;
    int r;
    double s;
    enum feedback feedback;
} mixers[] = {
    {MIXER_NONE, 0, 0, FEEDBACK_NONE},        {MIXER_DPLR, 1, 1, FEEDBACK_NONE},        {MIXER_DPLR, 2, 2, FEEDBACK_NONE},
    {MIXER_DPLR, 4, 1, FEEDBACK_NONE},        {MIXER_DPLR, 1, 2, FEEDBACK_RAW},         {MIXER_DPLR, 2, 1, FEEDBACK_RMS},
    {MIXER_HOUSEHOLDER, 1, 1, FEEDBACK_NONE}, {MIXER_HOUSEHOLDER, 1, 2, FEEDBACK_NONE}, {MIXER_HOUSEHOLDER, 2, 1, FEEDBACK_NONE},
    {MIXER_HOUSEHOLDER, 4, 2, FEEDBACK_NONE}, {MIXER_HOUSEHOLDER, 4, 1, FEEDBACK_RAW},  {MIXER_HOUSEHOLDER, 1, 1, FEEDBACK_RMS},
    {MIXER_KRONECKER, 0, 1, FEEDBACK_NONE},   {MIXER_KRONECKER, 0, 2, FEEDBACK_NONE},   {MIXER_KRONECKER, 0, 1, FEEDBACK_RAW},
    {MIXER_KRONECKER, 0, 1, FEEDBACK_RMS},    {MIXER_DENSE, 0, 0, FEEDBACK_NONE},       {MIXER_DENSE, 0, 0, FEEDBACK_RAW},
};

enum edge {
    EDGE_NONE,
    EDGE_LAMBDA_ZERO,
    EDGE_LAMBDA_ONE,
    EDGE_STRENGTH_HIGH,
    EDGE_STRENGTH_LOW,
    EDGE_VECTORS_ZERO,
    EDGE_VECTORS_TINY,
    EDGE_COUNT
};
enum { EDGED_SHAPES = 2, THREADS = 3 };

/* ---- Inputs ------------------------------------------------------------------------------------------------------------------ */

enum { V, LAMBDA, THETA, W, H0, TENSORS };

struct tensor {
    int64_t n;
    double *value; /* NULL where the problem has none */
};

struct test_case {
    struct problem problem;
    struct tensor in[TENSORS];
    uint64_t number;
    char name[160];
};

/* splitmix64 */
static uint64_t mixed(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* A multiple of 2^-20 in [-1,1). */
static double drawn(uint64_t seed, uint64_t stream, uint64_t k)
{
    int64_t bits = (int64_t)(mixed(mixed(mixed(seed) + stream) + k) >> 43);
    return (double)(bits - (1 << 20)) / (1 << 20);
}

static void *room(int64_t n, size_t size)
{
    void *memory = calloc((size_t)n + 1, size);
    if (memory == NULL) {
        fprintf(stderr, "outputs: no memory\n");
        exit(EXIT_FAILURE);
    }
    return memory;
}

/* The largest power of 2 not above 1 / sqrt(d). */
static double about_root(int64_t d)
{
    double scale = 1;
    while (scale * scale * (double)d > 1)
        scale /= 2;
    return scale;
}

/* Which of a token's parameters are strengths. */
static bool is_strength(const struct problem *p, int64_t i)
{
    int64_t n1, n2, m = problem_m(p);
    if (p->mixer == MIXER_DENSE || p->mixer == MIXER_NONE)
        return false;
    kronecker_sizes(p->d, &n1, &n2);
    return i >= (p->mixer == MIXER_KRONECKER ? m - n1 - n2 : p->r * p->d);
}

static double value_of(const struct problem *p, enum edge edge, uint64_t seed, int tensor, int64_t k)
{
    double x = drawn(seed, (uint64_t)tensor, (uint64_t)k), root = about_root(p->d);
    int64_t m = problem_m(p), d = p->d;
    if (tensor == LAMBDA)
        return edge == EDGE_LAMBDA_ZERO ? 0 : edge == EDGE_LAMBDA_ONE ? 1 : (x + 1) * 0.46875;
    if (tensor == W)
        return x * root * (p->mixer == MIXER_DENSE ? 0.03125 : 0.25);
    if (tensor == THETA && p->mixer == MIXER_DENSE)
        return (double)(k % (d * d) / d == k % d) + 0.5 * x * root;
    if (tensor == THETA && is_strength(p, k % m))
        return edge == EDGE_STRENGTH_HIGH ? 120 : edge == EDGE_STRENGTH_LOW ? -120 : 2 * x;
    if (tensor == THETA)
        return edge == EDGE_VECTORS_ZERO ? 0 : edge == EDGE_VECTORS_TINY ? x / 8192 : 2 * x;
    return 2 * x;
}

static void draw(struct test_case *test, enum edge edge, bool initial)
{
    const struct problem *p = &test->problem;
    int64_t m = problem_m(p), tokens = p->B * p->T;
    const int64_t n[TENSORS] = {tokens * p->d, tokens * p->d, tokens * m, p->feedback != FEEDBACK_NONE ? m * p->d : 0,
                                initial ? p->B * p->d : 0};
    for (int i = 0; i < TENSORS; i++) {
        test->in[i] = (struct tensor){.n = n[i]};
        if (n[i] > 0)
            test->in[i].value = room(n[i], sizeof(double));
        for (int64_t k = 0; k < n[i]; k++)
            test->in[i].value[k] = value_of(p, edge, test->number, i, k);
    }
}

static void *in_dtype(const double *value, int64_t n, enum dtype dtype)
{
    if (value == NULL)
        return NULL;
    void *copy = room(n, sizeof(double));
    for (int64_t k = 0; k < n; k++)
        if (dtype == DTYPE_FLOAT32)
            ((float *)copy)[k] = (float)value[k];
        else
            ((double *)copy)[k] = value[k];
    return copy;
}

/* ---- Outputs ----------------------------------------------------------------------------------------------------------------- */

/* FNV-1a */
static const uint64_t BEGIN = 0xcbf29ce484222325u;

static uint64_t hashed(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *byte = data;
    for (size_t i = 0; byte != NULL && i < size; i++)
        hash = (hash ^ byte[i]) * 0x100000001b3u;
    return hash;
}

/* Choice number `which` of an implementation's options that list their values, and of none; returns how many there are. */
static int choose_options(const struct implementation *one, int which, struct settings *settings)
{
    char text[256], *rest = text, *option, *value;
    int ways = 1;
    snprintf(text, sizeof text, "%s", one->options != NULL ? one->options : "");
    settings->n_options = 0;
    while ((option = strtok_r(rest, " ", &rest)) != NULL) {
        char *listed[8], *words = strchr(option, '=');
        int n = 0;
        for (*words++ = '\0'; n < 8 && (value = strtok_r(words, "|", &words)) != NULL; n++)
            listed[n] = value;
        int choice = which / ways % (n + 1);
        ways *= n + 1;
        if (choice == n)
            continue;
        struct option *chosen = &settings->option[settings->n_options++];
        snprintf(chosen->name, sizeof chosen->name, "%.20s", option);
        snprintf(chosen->value, sizeof chosen->value, "%.20s", listed[choice]);
    }
    return ways;
}

/* So many iterates; until a tolerance, damped when it does not come nearer. The longest first. */
static const struct settings settings_of[] = {
    {.l_max = 40, .tolerance = 1e-4, .quantile = 0.5, .damping = 0.9, .damping_factor = 0.5, .patience = 2},
    {.l_max = 30, .tolerance = 1e-4, .quantile = 1, .damping = 1, .damping_factor = 1},
    {.l_max = 3, .quantile = 1, .damping = 1, .damping_factor = 1},
};

static uint64_t hash_gradient(const struct implementation *one, struct plan *plan, const struct test_case *test,
                              const struct inputs *inputs, const struct outputs *outputs, uint64_t hash)
{
    const struct problem *p = &test->problem;
    size_t size = dtype_size(p->dtype);
    int64_t n = p->B * p->T * p->d;
    double *drawn_weights = room(n, sizeof *drawn_weights);
    for (int64_t k = 0; k < n; k++)
        drawn_weights[k] = drawn(test->number, 77, (uint64_t)k);
    void *to[TENSORS], *weights = in_dtype(drawn_weights, n, p->dtype);
    for (int i = 0; i < TENSORS; i++)
        to[i] = test->in[i].n > 0 ? room(test->in[i].n, size) : NULL;
    const struct gradients gradients = {.v = to[V], .lambda = to[LAMBDA], .theta = to[THETA], .W = to[W], .h0 = to[H0]};
    struct status status = one->backward(plan, inputs, outputs, &(struct outputs){.h = weights}, &gradients);
    hash = hashed(hash, &status.code, sizeof status.code);
    for (int i = 0; i < TENSORS; i++) {
        if (status.code == STATUS_OK)
            hash = hashed(hash, to[i], (size_t)test->in[i].n * size);
        free(to[i]);
    }
    free(weights);
    free(drawn_weights);
    return hash;
}

/* Of forward(), its trace, and backward() where the settings ask for it. */
static uint64_t hash_run(const struct implementation *one, const struct test_case *test, const struct settings *settings,
                         const struct environment *environment, const struct inputs *inputs, uint64_t hash)
{
    const struct problem *p = &test->problem;
    size_t size = dtype_size(p->dtype);
    int64_t n = p->B * p->T * p->d, *l = room(p->B, sizeof *l);
    void *h = room(n, size), *final = room(p->B * p->d, size);
    double *residual = room(settings->l_max * p->B, sizeof *residual);
    struct trace trace = {.l = l, .residual = residual};
    const struct outputs outputs = {.h = h, .final = final};
    struct plan *plan;
    struct status status = one->plan(p, settings, environment, &plan);
    if (status.code == STATUS_OK)
        status = implementation_forward(one, plan, inputs, &outputs, &trace);
    const int64_t place[] = {(int64_t)status.code, status.b, status.t};
    hash = hashed(hash, place, sizeof place);
    if (status.code == STATUS_OK || status.code == STATUS_NOT_CONVERGED) {
        hash = hashed(hash, h, (size_t)n * size);
        hash = hashed(hash, final, (size_t)(p->B * p->d) * size);
        hash = hashed(hash, l, (size_t)p->B * sizeof *l);
        hash = hashed(hash, residual, (size_t)(trace.l_run * p->B) * sizeof *residual);
        hash = hashed(hash, &trace.l_run, sizeof trace.l_run);
        hash = hashed(hash, &trace.applications, sizeof trace.applications);
        if (settings->gradient != GRADIENT_NONE)
            hash = hash_gradient(one, plan, test, inputs, &outputs, hash);
    }
    one->destroy(plan);
    free(h), free(final), free(l), free(residual);
    return hash;
}

/* One line a variant: all settings and gradients in one hash; of an implementation that takes nothing of it, none. */
static void print_variant(const struct implementation *one, const struct test_case *test, enum level level)
{
    const struct problem *p = &test->problem;
    const struct environment environment = {.threads = 1 + (int)(test->number % THREADS)};
    void *in[TENSORS];
    for (int i = 0; i < TENSORS; i++)
        in[i] = in_dtype(test->in[i].value, test->in[i].n, p->dtype);
    const struct inputs inputs = {in[V], in[LAMBDA], in[THETA], in[W], in[H0]};
    uint64_t hash = BEGIN;
    int ran = 0;
    for (int k = 0; k < LENGTH(settings_of); k++)
        for (enum gradient gradient = GRADIENT_NONE; gradient <= GRADIENT_STEPS; gradient++) {
            struct settings settings = settings_of[k];
            settings.gradient = gradient;
            settings.gradient_steps = gradient == GRADIENT_STEPS ? 2 : 0;
            for (int way = 0; way < choose_options(one, way, &settings); way++) {
                struct support support;
                one->supports(p, &settings, &environment, &support);
                if (!support.yes)
                    continue;
                hash = hash_run(one, test, &settings, &environment, &inputs, hash);
                ran++;
            }
        }
    if (ran > 0)
        printf("%s %s %s %s: %016llx (%d runs)\n", one->name, test->name, dtype_names[p->dtype], level_names[level],
               (unsigned long long)hash, ran);
    for (int i = 0; i < TENSORS; i++)
        free(in[i]);
}

static void make_case(int shape, int mixer, enum form form, enum edge edge, struct test_case *test)
{
    static const char *const edge_names[EDGE_COUNT] = {"", "_lambda0", "_lambda1", "_strong", "_weak", "_vectors0", "_tiny"};
    *test = (struct test_case){.problem = {.B = shapes[shape].B,
                                           .T = shapes[shape].T,
                                           .d = shapes[shape].d,
                                           .mixer = mixers[mixer].mixer,
                                           .r = mixers[mixer].r,
                                           .s = mixers[mixer].s,
                                           .form = form,
                                           .feedback = mixers[mixer].feedback}};
    int number = (((int)edge * LENGTH(shapes) + shape) * LENGTH(mixers) + mixer) * FORM_COUNT + (int)form;
    test->number = (uint64_t)number;
    const struct problem *p = &test->problem;
    snprintf(test->name, sizeof test->name, "%lldx%lldx%lld_%s_r%lld_s%g_%s_%s%s", (long long)p->B, (long long)p->T,
             (long long)p->d, mixer_names[p->mixer], (long long)p->r, p->s, form_names[form], feedback_names[p->feedback],
             edge_names[edge]);
    draw(test, edge, shapes[shape].initial);
}

static void free_case(struct test_case *test)
{
    for (int i = 0; i < TENSORS; i++)
        free(test->in[i].value);
}

static void print_case(struct test_case *test)
{
    for (int i = 0; i < registry_count(); i++)
        for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++)
            for (enum level level = 0; level <= level_best(); level++) {
                const struct implementation *one = registry_get(i, dtype, level);
                test->problem.dtype = dtype;
                if (one->device == DEVICE_CPU && level_available(level))
                    print_variant(one, test, level);
            }
}

/* Every case, by what is done with it. */
static void each_case(void (*visit)(struct test_case *))
{
    for (enum edge edge = EDGE_NONE; edge < EDGE_COUNT; edge++)
        for (int shape = 0; shape < (edge == EDGE_NONE ? LENGTH(shapes) : (int)EDGED_SHAPES); shape++)
            for (int mixer = 0; mixer < LENGTH(mixers); mixer++)
                for (enum form form = 0; form < FORM_COUNT; form++) {
                    struct test_case test;
                    make_case(shape, mixer, form, edge, &test);
                    visit(&test);
                    free_case(&test);
                }
}

static uint64_t hash_of_inputs;

static void hash_inputs(struct test_case *test)
{
    for (int i = 0; i < TENSORS; i++)
        hash_of_inputs = hashed(hash_of_inputs, test->in[i].value, (size_t)test->in[i].n * sizeof(double));
}

int main(void)
{
    hash_of_inputs = BEGIN;
    each_case(hash_inputs);
    printf("inputs %016llx\n", (unsigned long long)hash_of_inputs);
    each_case(print_case);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
