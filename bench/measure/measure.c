/* See measure.h. */
#include "bench/measure/measure.h"

#include "bench/base/parse.h"
#include "bench/machine/team.h"

/* A record names the threads of its point: where fewer would work it has no figures. */
static bool threads_work(const struct point *point, struct finding *finding)
{
    char reason[TEAM_REASON_SIZE];
    int wanted = point_on_device(point) ? 1 : point_threads(point), threads = team_threads(wanted, reason);
    if (threads < wanted)
        finding_say(finding, (enum result)STATUS_UNSUPPORTED, "only %d of %d threads work here: %s", threads, wanted, reason);
    return threads >= wanted;
}

bool measure_run(const struct point *point, const struct limits *limits, struct finding *finding, struct error *error)
{
    static bool (*const run[])(const struct point *, const struct limits *, struct finding *, struct error *) = {
#define RUN(name, of, repeats) name##_run,
        MEASURES(RUN)
#undef RUN
    };
    if (!threads_work(point, finding))
        return true;
    /* A measure need not look at each call with which it builds what it found: what there was no memory for is noticed here. */
    struct json_watch watch;
    json_watch_begin(&watch);
    bool good = run[point->value[FIELD_MEASURE].integer](point, limits, finding, error);
    return (json_watch_end(&watch) || fail_memory(error)) && good;
}
