/* See measure.h. */
#include "bench/measure/measure.h"

#include "bench/base/clock.h"
#include "bench/base/parse.h"

#include <stdarg.h>
#include <stdio.h>

/* A measure need not look at each call with which it builds what it found: what there was no memory for is noticed here. */
static bool watched(bool (*run)(const struct point *, const struct limits *, struct finding *, struct error *),
                    const struct point *point, const struct limits *limits, struct finding *finding, struct error *error)
{
    json_watch();
    return run(point, limits, finding, error) && (!json_refused() || fail(error, "no memory to say what was found"));
}

#define WATCHED(name)                                                                                                              \
    static bool name##_watched(const struct point *point, const struct limits *limits, struct finding *finding,                    \
                               struct error *error)                                                                                \
    {                                                                                                                              \
        return watched(name##_run, point, limits, finding, error);                                                                 \
    }

WATCHED(convergence)
WATCHED(throughput)
WATCHED(gradient)
WATCHED(reach)
WATCHED(training)
WATCHED(accuracy)

const struct measure measures[] = {
    {"convergence", OF_RECURRENCE, false, convergence_watched},
    {"throughput", OF_RECURRENCE | OF_TIMED, true, throughput_watched},
    {"gradient", OF_RECURRENCE | OF_GRADIENT, false, gradient_watched},
    {"reach", OF_RECURRENCE, false, reach_watched},
    {"training", OF_TRAINING, false, training_watched},
    {"accuracy", OF_ACCURACY, false, accuracy_watched},
};

const char *const stage_names[STAGE_COUNT] = {"inputs", "plan", "validation", "timing", "end"};

const char *measure_word(int index)
{
    return index >= 0 && (size_t)index < sizeof measures / sizeof measures[0] ? measures[index].name : NULL;
}

void finding_status(struct finding *finding, const struct status *status)
{
    finding->result = (enum result)status->code;
    finding->b = status->b;
    finding->t = status->t;
    snprintf(finding->message, sizeof finding->message, "%s", status->message);
}

void finding_lap(struct finding *finding, enum stage stage, double *since)
{
    double now = clock_seconds();
    finding->seconds[stage] += now - *since;
    *since = now;
}

void finding_say(struct finding *finding, enum result result, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(finding->message, sizeof finding->message, format, arguments);
    va_end(arguments);
    finding->result = result;
}
