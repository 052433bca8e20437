/* Problems, and the words of the contract's enumerations. */
#include "impls/impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *const cell_names[CELL_COUNT] = {"vector"};
const char *const mixer_names[MIXER_COUNT] = {"none", "dplr", "householder", "kronecker", "dense"};
const char *const form_names[FORM_COUNT] = {"normalised", "plain"};
const char *const feedback_names[FEEDBACK_COUNT] = {"none", "raw", "rms"};
const char *const dtype_names[DTYPE_COUNT] = {"float32", "float64"};
const char *const device_names[DEVICE_COUNT] = {"cpu", "cuda"};

/* Far above any machine, far below what could overflow an int64_t when multiplied by a few more small factors. */
#define ELEMENTS_MAX ((int64_t)1 << 40)

size_t dtype_size(enum dtype dtype)
{
    return dtype == DTYPE_FLOAT32 ? sizeof(float) : sizeof(double);
}

void kronecker_sizes(int64_t d, int64_t *n1, int64_t *n2)
{
    *n1 = 1;
    for (int64_t n = 1; n * n <= d; n++)
        if (d % n == 0)
            *n1 = n;
    *n2 = d / *n1;
}

int64_t problem_m(const struct problem *problem)
{
    int64_t d = problem->d, n1, n2;
    switch (problem->mixer) {
    case MIXER_DPLR:
    case MIXER_HOUSEHOLDER:
        return problem->r * (d + 1);
    case MIXER_KRONECKER:
        kronecker_sizes(d, &n1, &n2);
        return n1 * (n1 + 1) / 2 + n2 * (n2 + 1) / 2 + n1 + n2;
    case MIXER_DENSE:
        return d * d;
    default:
        return 0;
    }
}

static bool product_fits(int64_t a, int64_t b, int64_t c)
{
    return a <= ELEMENTS_MAX / b && a * b <= ELEMENTS_MAX / c;
}

bool problem_check(const struct problem *p, size_t capacity, char *reason)
{
    bool low_rank = p->mixer == MIXER_DPLR || p->mixer == MIXER_HOUSEHOLDER;
    if (p->B < 1 || p->T < 1 || p->d < 1)
        snprintf(reason, capacity, "B, T and d must be at least 1");
    else if (p->d > 65536)
        snprintf(reason, capacity, "d = %" PRId64 " is above 65536", p->d);
    else if (low_rank && (p->r < 1 || p->r > 64))
        snprintf(reason, capacity, "a %s mixer needs a rank r from 1 to 64", mixer_names[p->mixer]);
    else if ((low_rank || p->mixer == MIXER_KRONECKER) && !(p->s > 0 && p->s <= 4))
        snprintf(reason, capacity, "the scale s must be above 0 and at most 4");
    else if (p->mixer == MIXER_NONE && p->feedback != FEEDBACK_NONE)
        snprintf(reason, capacity, "without a mixer nothing can depend on the state");
    else if (!product_fits(p->B, p->T, p->d) || (problem_m(p) > 0 && !product_fits(p->B, p->T, problem_m(p))))
        snprintf(reason, capacity, "a tensor of more than 2^40 elements");
    else
        return true;
    return false;
}

void problem_print(const struct problem *p, size_t capacity, char *text)
{
    char mixer[64], feedback[32] = "";
    if (p->mixer == MIXER_DPLR || p->mixer == MIXER_HOUSEHOLDER)
        snprintf(mixer, sizeof mixer, "%s r=%" PRId64 " s=%g", mixer_names[p->mixer], p->r, p->s);
    else if (p->mixer == MIXER_KRONECKER)
        snprintf(mixer, sizeof mixer, "%s s=%g", mixer_names[p->mixer], p->s);
    else
        snprintf(mixer, sizeof mixer, "%s", mixer_names[p->mixer]);
    if (p->feedback != FEEDBACK_NONE)
        snprintf(feedback, sizeof feedback, " feedback=%s", feedback_names[p->feedback]);
    snprintf(text, capacity, "%s (%" PRId64 ",%" PRId64 ",%" PRId64 ") %s %s%s %s", cell_names[p->cell], p->B, p->T, p->d, mixer,
             form_names[p->form], feedback, dtype_names[p->dtype]);
}

bool option_allowed(const char *options, const struct option *option)
{
    size_t name = strlen(option->name), value = strlen(option->value);
    for (const char *entry = options; entry != NULL && *entry != '\0'; entry += strspn(entry, " ")) {
        size_t length = strcspn(entry, " ");
        const char *end = entry + length, *one = entry + name + 1;
        bool found = length > name && strncmp(entry, option->name, name) == 0 && entry[name] == '=';
        if (found && one == end)
            return true;
        for (; found && one < end; one += strcspn(one, "| ") + 1)
            if (strcspn(one, "| ") == value && strncmp(one, option->value, value) == 0)
                return true;
        entry = end;
    }
    return false;
}

const char *settings_option(const struct settings *settings, const char *name)
{
    for (int i = 0; i < settings->n_options; i++)
        if (strcmp(settings->option[i].name, name) == 0)
            return settings->option[i].value;
    return NULL;
}
