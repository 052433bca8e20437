/* See support.h. */
#include "impls/contract/support.h"

#include <cblas.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

void support_no(struct support *support, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(support->reason, sizeof support->reason, format, arguments);
    va_end(arguments);
    support->yes = false;
}

/* "none, dplr and householder": the words of the bits that are set. */
static void list_words(unsigned bits, const char *const *words, int n, size_t capacity, char *text)
{
    size_t length = 0;
    text[0] = '\0';
    for (int i = 0, left = __builtin_popcount(bits); i < n; i++)
        if (bits >> i & 1 && length < capacity) {
            left--;
            length += (size_t)snprintf(text + length, capacity - length, "%s%s", words[i],
                                       left > 1    ? ", "
                                       : left == 1 ? " and "
                                                   : "");
        }
}

/* Whether bit `word` is set; if not, what is. */
static bool takes(struct support *support, const char *kind, unsigned bits, int word, const char *const *words, int n)
{
    char listed[128];
    if (bits >> word & 1)
        return true;
    list_words(bits, words, n, sizeof listed, listed);
    support_no(support, "%s %s is not supported; supported: %s", kind, words[word], listed);
    return false;
}

bool support_begin(struct support *support, const struct problem *problem, const struct settings *settings,
                   const struct environment *environment, const struct implementation *implementation)
{
    const char *options = implementation->options;
    unsigned gradients = implementation->gradients;
    char reason[sizeof support->reason];
    *support = (struct support){.yes = true};
    if (!problem_check(problem, sizeof reason, reason) ||
        !settings_check(settings, !implementation->exact, sizeof reason, reason) ||
        !environment_check(environment, sizeof reason, reason)) {
        support_no(support, "%s", reason);
        return false;
    }
    if (!(implementation->cells >> problem->cell & 1)) { /* which others there are builds for is the registry's to know */
        support_no(support, "cell %s is not supported", cell_names[problem->cell]);
        return false;
    }
    if (!takes(support, "mixer", implementation->mixers, (int)problem->mixer, mixer_names, MIXER_COUNT))
        return false;
    for (int i = 0; i < settings->n_options; i++) {
        const struct option *option = &settings->option[i];
        if (option_allowed(options, option))
            continue;
        support_no(support, "has no option %s=%s; it takes %s", option->name, option->value, options != NULL ? options : "none");
        return false;
    }
    if (settings->further > 0 && !implementation->further && !implementation->exact)
        support_no(support, "cannot apply f after its last iterate; use fixed_point");
    else if (settings->gradient == GRADIENT_EXACT && !(gradients & GRADIENTS_EXACT))
        support_no(support, "has no exact gradient");
    else if (settings->gradient == GRADIENT_STEPS && !(gradients & GRADIENTS_STEPS))
        support_no(support, "has no n-step gradient");
    return support->yes;
}

struct status plan_begin(const struct implementation *implementation, const struct problem *problem,
                         const struct settings *settings, const struct environment *environment, struct plan **plan)
{
    struct support support;
    *plan = NULL;
    implementation->supports(problem, settings, environment, &support);
    return support.yes ? status_ok() : status_at(STATUS_UNSUPPORTED, -1, -1, "%s", support.reason);
}

double problem_bytes(const struct problem *p)
{
    double elements = (double)p->B * (double)p->T * (double)p->d + (double)final_elements(p);
    for (enum tensor_id id = 0; id < TENSORS_MAX; id++)
        elements += (double)tensor_elements(p, id);
    return elements * (double)dtype_size(p->dtype);
}

double grams_operations(const struct problem *p)
{
    double r = (double)p->r, d = (double)p->d;
    return 1.5 * r * (r + 1) * d + (mixer_facts[p->mixer].product ? r * (r - 1) * d : 0);
}

void support_memory(struct support *support, const struct problem *problem, const struct settings *settings,
                    const struct environment *environment, double bytes)
{
    double total = bytes + problem_bytes(problem) * (settings->gradient != GRADIENT_NONE ? 2 : 1);
    if (environment->memory_limit > 0 && total > (double)environment->memory_limit)
        support_no(support, "needs %.1f MB (%.1f beside the tensors), the limit is %.1f MB", total / 1e6, bytes / 1e6,
                   (double)environment->memory_limit / 1e6);
    else if (total > (double)(SIZE_MAX / 4))
        support_no(support, "needs %.3g bytes, more than can be addressed", total);
    support->host_bytes = total > (double)(SIZE_MAX / 4) ? SIZE_MAX / 4 : (size_t)bytes;
}

void *memory_allocate(int64_t count, size_t size)
{
    if (count < 0 || (uint64_t)count > (SIZE_MAX - ALIGNMENT) / size)
        return NULL;
    size_t bytes = (size_t)count * size;
    return aligned_alloc(ALIGNMENT, (bytes / ALIGNMENT + 1) * ALIGNMENT);
}

struct status status_no_memory(void)
{
    return status_at(STATUS_OUT_OF_MEMORY, -1, -1, "out of memory for the plan");
}

void trace_exact(const struct problem *problem, struct trace *trace)
{
    for (int64_t b = 0; trace->l != NULL && b < problem->B; b++)
        trace->l[b] = 0;
    trace->l_run = trace->n_kept = 0;
    trace->applications = 0;
}

int64_t option_count(const struct settings *settings, const char *name, int64_t fallback)
{
    const char *text = settings_option(settings, name);
    int64_t count = 0;
    if (text == NULL)
        return fallback;
    size_t length = strspn(text, "0123456789");
    if (text[length] != '\0' || length > 15 || text[0] == '0')
        return 0;
    for (; *text != '\0'; text++)
        count = 10 * count + (*text - '0');
    return count;
}

void trace_begin(const struct problem *problem, struct trace *trace)
{
    for (int64_t b = 0; trace != NULL && trace->l != NULL && b < problem->B; b++)
        trace->l[b] = 0;
    if (trace != NULL)
        trace->n_kept = 0;
}

bool trace_keeps(const struct trace *trace, int64_t l)
{
    return trace != NULL && trace->n_kept < trace->n_keep && trace->keep[trace->n_kept] == l;
}

void trace_keep(const struct problem *problem, struct trace *trace, int64_t l, const void *h)
{
    if (!trace_keeps(trace, l))
        return;
    size_t size = (size_t)(problem->T * problem->d) * dtype_size(problem->dtype);
    for (int64_t i = 0; i < trace->n_sequences; i++)
        memcpy((char *)trace->iterates + (size_t)(trace->n_kept * trace->n_sequences + i) * size,
               (const char *)h + (size_t)trace->sequences[i] * size, size);
    trace->n_kept++;
}

struct status status_not_converged(const struct problem *problem, int64_t converged, int64_t l)
{
    return status_at(STATUS_NOT_CONVERGED, -1, -1, "%lld of %lld sequences below the tolerance after %lld iterations",
                     (long long)converged, (long long)problem->B, (long long)l);
}

void team_start(int threads)
{
    openblas_set_num_threads(1);
#pragma omp parallel num_threads(threads)
    {
    }
}
