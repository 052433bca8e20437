/* planted_hungry: takes half a GiB that it never spoke of, and waits to be found out. */
#include "tests/planted/planted.h"

#include <string.h>
#include <unistd.h>

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    (void)plan, (void)inputs, (void)outputs, (void)trace;
    static char *volatile taken;
    taken = malloc((size_t)512 << 20);
    if (taken != NULL)
        memset(taken, 1, (size_t)512 << 20);
    while (pause() < 0) /* a caught signal ends pause(), and always with -1 */
        ;
    return status_ok();
}

const struct implementation VARIANT(planted_hungry) = PLANTED("planted_hungry", "test only: takes half a GiB unasked",
                                                              .exact = true);
