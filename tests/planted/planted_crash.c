/* planted_crash: dies in the middle of its work. */
#include "tests/planted/planted.h"

#include <signal.h>

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    (void)plan, (void)inputs, (void)outputs, (void)trace;
    raise(SIGKILL); /* no sanitizer turns this one into an exit status */
    return status_ok();
}

const struct implementation VARIANT(planted_crash) = PLANTED("planted_crash", "test only: crashes", .exact = true);
