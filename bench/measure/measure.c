/* See measure.h. */
#include "bench/measure/measure.h"

#include "bench/base/clock.h"
#include "bench/base/parse.h"

#include <stdarg.h>
#include <stdio.h>

bool measure_run(const struct point *point, const struct limits *limits, struct finding *finding, struct error *error)
{
    static bool (*const run[])(const struct point *, const struct limits *, struct finding *, struct error *) = {
#define RUN(name, of, repeats) name##_run,
        MEASURES(RUN)
#undef RUN
    };
    /* A measure need not look at each call with which it builds what it found: what there was no memory for is noticed here. */
    struct json_watch watch;
    json_watch_begin(&watch);
    bool good = run[point->value[FIELD_MEASURE].integer](point, limits, finding, error);
    return (json_watch_end(&watch) || fail_memory(error)) && good;
}

const char *const stage_names[STAGE_COUNT] = {"inputs", "plan", "validation", "timing", "end"};

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
