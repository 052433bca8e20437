/* See warning.h. */
#include "bench/journal/warning.h"

#include "bench/base/parse.h"
#include "bench/base/statistics.h"
#include "bench/journal/journal.h"
#include "bench/machine/product.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool until(const struct precautions *precautions)
{
    return precautions->until;
}

static bool no_until(const struct precautions *precautions)
{
    return !precautions->until;
}

static bool enough_rounds(const struct precautions *precautions)
{
    return precautions->rounds >= STATISTICS_INTERVAL_LEAST;
}

static bool few_rounds(const struct precautions *precautions)
{
    return !enough_rounds(precautions);
}

static bool many_samples(const struct precautions *precautions)
{
    return precautions->samples >= 20;
}

static bool pinned(const struct precautions *precautions)
{
    return precautions->pinned;
}

static bool steady_governor(const struct precautions *precautions)
{
    return precautions->governor[0] == '\0' || strcmp(precautions->governor, "performance") == 0;
}

static bool no_turbo(const struct precautions *precautions)
{
    return !precautions->turbo;
}

// clang-format off
#define UNTIL {"run: {until: ...}", until}
#define MORE_ROUNDS {"run: {rounds: 6} or more", enough_rounds}
#define MORE_SAMPLES {"run: {samples: 20} or more", many_samples}

const struct warning warnings[WARNING_COUNT] = {
    [WARNING_BUSY] = {"busy", 0.1, "%.2f processors", 1,
        "Other programs kept processors busy while samples were timed.",
        {{"a quiet machine", NULL}, MORE_ROUNDS, UNTIL}},
    [WARNING_STEAL] = {"steal", 0.05, "%.2f processors", 1,
        "The host of this virtual machine ran other guests while samples were timed.",
        {{"another host or another hour", NULL}, MORE_ROUNDS, UNTIL}},
    [WARNING_CLOCK] = {"clock", 0.03, "%.0f %% apart", 100,
        "The clock frequency changed within a round, or from round to round.",
        {{"the frequency governor performance", steady_governor}, {"turbo off", no_turbo}, MORE_ROUNDS, UNTIL}},
    [WARNING_THROTTLE] = {"throttle", 0, "%.0f times", 1,
        "The processor slowed down because of heat or power.",
        {{"better cooling; fewer threads", NULL}}},
    [WARNING_QUOTA] = {"quota", 0, "%.0f times", 1,
        "A quota of processors (of a container, a service or a job) stopped the process while samples were timed.",
        {{"run: {threads: ...}, fewer than the quota has processors", NULL}, {"a larger quota, or none", NULL}}},
    [WARNING_SMT] = {"smt", 0, "%.0f threads", 1,
        "Threads may have shared a core: there were more threads than cores or usable processors, or threads were not pinned.",
        {{"run: {threads: ...}, at most one per core", NULL}, {"OMP_PLACES=cores in the environment", pinned}}},
    [WARNING_FIRST_SLOW] = {"first_slow", 1.1, "%.2f times the slowest other", 1,
        "The first sample of a round was the slowest: the warm-up was too short. The median is hardly affected.",
        {MORE_SAMPLES}},
    [WARNING_WIDE] = {"wide", 0.05, "\u00b1%.0f %%", 100,
        "The quartiles of a round's samples, or the 95 % interval over rounds, are wider than \u00b15 %.",
        {{"a quiet machine", NULL}, MORE_SAMPLES, UNTIL, {"a larger at_most: in run: {until: ...}", no_until}}},
    [WARNING_FEW_ROUNDS] = {"few_rounds", 0, "%.0f short of 6", 1,
        "Fewer than 6 rounds have no 95 % interval of the median.",
        {MORE_ROUNDS, {"repeat the command to resume", few_rounds}}},
    [WARNING_MEMORY] = {"memory", 0.9, "%.0f %% of the limit", 100,
        "A process came close to its memory limit.",
        {{"a larger run: {memory_limit: ...}; a smaller problem", NULL}}},
    [WARNING_SHARE] = {"share", 1, "%.2f of the bound", 1,
        "A point was faster than its bound: the machine limits were measured too low, or the work is counted too high.",
        {{"measure the machine again while it is quiet", NULL}}},
    [WARNING_BLAS_FORCED] = {"blas_forced", 0, "%.2f times the time of its own choice", 1,
        "Variables of the environment chose how OpenBLAS computes.",
        {{"unset OPENBLAS_* and GOTO_NUM_THREADS", NULL}}, .product = true},
};
// clang-format on

bool threads_are_pinned(const char *places, const char *bind, const char *affinity)
{
    if (bind != NULL)
        return strcasecmp(bind, "false") != 0;
    return places != NULL || affinity != NULL;
}

void precautions_of_machine(const json_t *facts, struct precautions *precautions)
{
    const json_t *cpu = json_object_get(facts, "cpu"), *variables = json_object_get(facts, "threading_variables");
    const char *governor = json_string_value(json_object_get(cpu, "governor"));
    snprintf(precautions->governor, sizeof precautions->governor, "%s", governor != NULL ? governor : "");
    product_describe(json_object_get(facts, "product"), sizeof precautions->product, precautions->product);
    precautions->turbo = json_is_true(json_object_get(cpu, "turbo"));
    precautions->pinned = threads_are_pinned(json_string_value(json_object_get(variables, "OMP_PLACES")),
                                             json_string_value(json_object_get(variables, "OMP_PROC_BIND")),
                                             json_string_value(json_object_get(variables, "GOMP_CPU_AFFINITY")));
}

json_t *warning_in(const json_t *list, enum warning_code code)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *entry = json_array_get(list, i);
        const char *word = json_string_value(json_object_get(entry, "code"));
        if (word != NULL && strcmp(word, warnings[code].code) == 0)
            return entry;
    }
    return NULL;
}

bool warning_note(json_t *list, enum warning_code code, double figure)
{
    if (!(figure > warnings[code].threshold))
        return true;
    json_t *entry = warning_in(list, code);
    if (entry == NULL)
        return json_array_append_new(list, json_pack("{ss so}", "code", warnings[code].code, "figure", json_number(figure))) == 0;
    const json_t *before = json_object_get(entry, "figure");
    if (json_is_number(before) && json_number_value(before) >= figure)
        return true;
    return json_object_set_new(entry, "figure", json_number(figure)) == 0;
}
