/* See transfer.h. */
#include "bench/measure/transfer.h"

#include "bench/base/clock.h"
#include "bench/base/parse.h"

#include <math.h>

enum { TIMES = 5 };

json_t *transfers_measure(struct call *call)
{
    const struct implementation *implementation = call->implementation;
    double up = INFINITY, down = INFINITY;
    call->status = status_ok();
    if (implementation->upload == NULL || implementation->download == NULL)
        return json_null();
    for (int i = 0; i < TIMES && call->status.code == STATUS_OK; i++) {
        double began = clock_seconds();
        call->status = implementation->upload(call->plan, call->inputs);
        up = fmin(up, clock_seconds() - began);
    }
    for (int i = 0; i < TIMES && call->status.code == STATUS_OK; i++) {
        double began = clock_seconds();
        call->status = implementation->download(call->plan, &call->outputs);
        down = fmin(down, clock_seconds() - began);
    }
    return json_pack("{s:o, s:o, s:s}", "upload_s", json_number(up), "download_s", json_number(down), "caches",
                     implementation->flush != NULL ? "flushed before every call" : "as the call before left them");
}
