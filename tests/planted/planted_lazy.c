/* planted_lazy: works once, and then returns at once as long as its inputs lie where they lay. */
#include "tests/planted/planted.h"

extern const struct implementation VARIANT(structured_sequential);

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    static const void *last;
    const struct environment environment = {.threads = 1};
    const struct settings settings = {.l_max = 1};
    if (inputs->v == last)
        return status_ok();
    last = inputs->v;
    struct plan *inner;
    struct status status = VARIANT(structured_sequential).plan(&plan->problem, &settings, &environment, &inner);
    if (status.code == STATUS_OK)
        status = VARIANT(structured_sequential).forward(inner, inputs, outputs, trace);
    VARIANT(structured_sequential).destroy(inner);
    return status;
}

const struct implementation VARIANT(planted_lazy) = PLANTED("planted_lazy", "test only: keeps its first answer", .exact = true);
