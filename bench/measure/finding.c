/* The result of a round: results, places and seconds, as every measure notes them; see measure.h. */
#include "bench/measure/measure.h"

#include "bench/base/clock.h"

#include <stdarg.h>
#include <stdio.h>

const char *const stage_names[STAGE_COUNT] = {"inputs", "plan", "validation", "timing", "end"};

void finding_status_when(struct finding *finding, const char *when, const struct status *status)
{
    char text[STATUS_SIZE];
    finding->result = (enum result)status->code;
    finding->b = status->b;
    finding->t = status->t;
    status_print(status, text); /* with the place: a table shows the message alone */
    snprintf(finding->message, sizeof finding->message, "%s%s", when, text);
}

void finding_status(struct finding *finding, const struct status *status)
{
    finding_status_when(finding, "", status);
}

void finding_judge(struct finding *finding, double error)
{
    if (finding->result == RESULT_OK && error > 1)
        finding_say(finding, RESULT_INACCURATE, "the iterate is farther from the exact answer than 0 is: error %.3g", error);
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
