/* planted_hang: never comes back. */
#include "tests/planted/planted.h"

#include <unistd.h>

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    (void)plan, (void)inputs, (void)outputs, (void)trace;
    while (pause() < 0) /* a caught signal ends pause(), and always with -1 */
        ;
    return status_ok();
}

const struct implementation VARIANT(planted_hang) = PLANTED("planted_hang", "test only: hangs", .exact = true);
