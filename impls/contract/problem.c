/* Problems, and the words of the contract's enumerations; those of mixers are in mixer.c. */
#include "impls/contract/support.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *const form_names[FORM_COUNT] = {"normalised", "plain"};
const char *const feedback_names[FEEDBACK_COUNT] = {"none", "raw", "rms"};
const char *const reads_names[READS_COUNT] = {"none", "dt", "bc", "dt+bc"};
const char *const norm_names[NORM_COUNT] = {"none", "bc", "output", "both"};
const char *const gate_names[GATE_COUNT] = {"outside", "inside"};
const char *const forget_names[FORGET_COUNT] = {"none", "head"};
const char *const dtype_names[DTYPE_COUNT] = {"float32", "float64"};
const char *const device_names[DEVICE_COUNT] = {"cpu", "cuda"};

/* Far above any machine, far below what could overflow an int64_t when multiplied by a few more small factors. */
#define ELEMENTS_MAX ((int64_t)1 << 40)

size_t dtype_size(enum dtype dtype)
{
    return dtype == DTYPE_FLOAT32 ? sizeof(float) : sizeof(double);
}

static bool product_fits(const int64_t shape[TENSOR_DIMENSIONS])
{
    int64_t product = 1;
    for (int i = 0; i < TENSOR_DIMENSIONS; product *= shape[i], i++)
        if (product > ELEMENTS_MAX / shape[i])
            return false;
    return true;
}

/* Whether the enumerations hold values that they have. */
static bool words_check(const struct problem *p, size_t capacity, char *reason)
{
    const struct {
        const char *what;
        int value, count;
    } words[] = {{"cell", (int)p->cell, CELL_COUNT},    {"mixer", (int)p->mixer, MIXER_COUNT},
                 {"form", (int)p->form, FORM_COUNT},    {"feedback", (int)p->feedback, FEEDBACK_COUNT},
                 {"reads", (int)p->reads, READS_COUNT}, {"norm", (int)p->norm, NORM_COUNT},
                 {"gate", (int)p->gate, GATE_COUNT},    {"forget", (int)p->forget, FORGET_COUNT},
                 {"dtype", (int)p->dtype, DTYPE_COUNT}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (words[i].value < 0 || words[i].value >= words[i].count) {
            snprintf(reason, capacity, "%s %d: there is no such one", words[i].what, words[i].value);
            return false;
        }
    return true;
}

static bool sizes_check(const struct problem *p, size_t capacity, char *reason)
{
    const int64_t most = cell_facts[p->cell].has_N ? 1024 : 0, least = cell_facts[p->cell].has_N;
    if (p->B < 1 || p->T < 1 || p->d < 1)
        snprintf(reason, capacity, "B, T and d must be at least 1");
    else if (p->d > 65536)
        snprintf(reason, capacity, "d = %" PRId64 ": must be at most 65536", p->d);
    else if (p->N < least || p->N > most)
        snprintf(reason, capacity, "N = %" PRId64 ": in the cell %s it must be %s", p->N, cell_names[p->cell],
                 most > 0 ? "between 1 and 1024" : "0");
    else if (!cell_facts[p->cell].has_heads && p->heads != 0)
        snprintf(reason, capacity, "heads = %" PRId64 ": the cell %s has none, so it must be 0", p->heads, cell_names[p->cell]);
    else if (cell_facts[p->cell].has_heads && (p->heads < 1 || p->heads > 1024 || p->d % p->heads != 0))
        snprintf(reason, capacity, "heads = %" PRId64 ": must be between 1 and 1024, and divide d = %" PRId64, p->heads, p->d);
    else
        return true;
    return false;
}

static bool mixer_check(const struct problem *p, size_t capacity, char *reason)
{
    const struct mixer_facts *facts = &mixer_facts[p->mixer];
    const bool steps = cell_facts[p->cell].has_steps;
    if (!(cell_facts[p->cell].mixers >> p->mixer & 1))
        snprintf(reason, capacity, "mixer %s: the cell %s has none of that kind", mixer_names[p->mixer], cell_names[p->cell]);
    else if (steps && (p->r < 1 || p->r > 64))
        snprintf(reason, capacity, "r = %" PRId64 ": the steps a token of the cell %s must be between 1 and 64", p->r,
                 cell_names[p->cell]);
    else if (facts->takes_r && (p->r < 1 || p->r > 64))
        snprintf(reason, capacity, "the rank r of a %s mixer must be between 1 and 64", mixer_names[p->mixer]);
    else if (!facts->takes_r && !steps && p->r != 0)
        snprintf(reason, capacity, "r = %" PRId64 ": the mixer %s has no rank, so it must be 0", p->r, mixer_names[p->mixer]);
    else if (facts->takes_s && !(p->s > 0 && p->s <= 4))
        snprintf(reason, capacity, "the scale s must be above 0 and at most 4");
    else if (!facts->takes_s && p->s != 0)
        snprintf(reason, capacity, "s = %g: the mixer %s has no scale, so it must be 0", p->s, mixer_names[p->mixer]);
    else if (p->mixer == MIXER_NONE && p->feedback != FEEDBACK_NONE)
        snprintf(reason, capacity, "state dependence (feedback) needs a mixer");
    else
        return true;
    return false;
}

/* What one cell has and another has not. */
static bool cell_check(const struct problem *p, size_t capacity, char *reason)
{
    const struct cell_facts *cell = &cell_facts[p->cell];
    const char *name = cell_names[p->cell];
    if (!(cell->feedbacks >> p->feedback & 1))
        snprintf(reason, capacity, "feedback %s: the cell %s has none of that kind", feedback_names[p->feedback], name);
    else if (!cell->has_form && p->form != FORM_NORMALISED)
        snprintf(reason, capacity, "form %s: the cell %s has only one form", form_names[p->form], name);
    else if (!cell->has_steps && p->forget != FORGET_NONE)
        snprintf(reason, capacity, "forget %s: the cell %s has none of that kind", forget_names[p->forget], name);
    else if (!cell->has_norm && (p->reads != READS_NONE || p->norm != NORM_NONE || p->gate != GATE_OUTSIDE))
        snprintf(reason, capacity, "reads %s, norm %s, gate %s: the cell %s has none of these", reads_names[p->reads],
                 norm_names[p->norm], gate_names[p->gate], name);
    else if (!(cell->reads >> p->reads & 1))
        snprintf(reason, capacity, "reads %s: the cell %s has none of that kind", reads_names[p->reads], name);
    else
        return true;
    return false;
}

bool problem_check(const struct problem *p, size_t capacity, char *reason)
{
    if (!words_check(p, capacity, reason))
        return false;
    if (!sizes_check(p, capacity, reason) || !mixer_check(p, capacity, reason) || !cell_check(p, capacity, reason))
        return false;
    for (int i = 0; i < cell_facts[p->cell].n; i++) {
        const struct tensor_row *row = &cell_facts[p->cell].tensors[i];
        int64_t shape[TENSOR_DIMENSIONS];
        tensor_shape(p, row->id, shape);
        if ((row->has == NULL || row->has(p)) && !product_fits(shape)) {
            snprintf(reason, capacity, "the tensor %s has more than 2^40 elements", tensor_names[row->id]);
            return false;
        }
    }
    return true;
}

void problem_print(const struct problem *p, size_t capacity, char *text)
{
    const struct cell_facts *cell = &cell_facts[p->cell];
    char r[32] = "", scale[32] = "", feedback[32] = "", states[32] = "", heads[32] = "", kind[80] = "";
    if (mixer_facts[p->mixer].takes_r || cell->has_steps)
        snprintf(r, sizeof r, " r=%" PRId64, p->r);
    if (mixer_facts[p->mixer].takes_s)
        snprintf(scale, sizeof scale, " s=%g", p->s);
    if (p->feedback != FEEDBACK_NONE)
        snprintf(feedback, sizeof feedback, " feedback=%s", feedback_names[p->feedback]);
    if (cell->has_N)
        snprintf(states, sizeof states, ",N=%" PRId64, p->N);
    if (cell->has_heads)
        snprintf(heads, sizeof heads, " heads=%" PRId64, p->heads);
    if (cell->has_steps)
        snprintf(kind, sizeof kind, " forget=%s", forget_names[p->forget]);
    else if (cell->has_norm)
        snprintf(kind, sizeof kind, " reads=%s norm=%s gate=%s", reads_names[p->reads], norm_names[p->norm], gate_names[p->gate]);
    else
        snprintf(kind, sizeof kind, " %s", form_names[p->form]);
    snprintf(text, capacity, "%s (%" PRId64 ",%" PRId64 ",%" PRId64 "%s)%s%s%s%s%s%s%s %s", cell_names[p->cell], p->B, p->T, p->d,
             states, cell->has_steps ? "" : " ", cell->has_steps ? "" : mixer_names[p->mixer], r, scale, heads, kind, feedback,
             dtype_names[p->dtype]);
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
