/* See measure.h. */
#include "bench/measure/measure.h"

#include "bench/base/parse.h"

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
