/* A whole forward pass for a caller whose tensors are in host memory. */
#include "impls/impl.h"

struct status implementation_forward(const struct implementation *implementation, struct plan *plan, const struct inputs *inputs,
                                     const struct outputs *outputs, struct trace *trace)
{
    struct status status = implementation->upload != NULL ? implementation->upload(plan, inputs) : status_ok();
    if (status.code != STATUS_OK)
        return status;
    status = implementation->forward(plan, inputs, outputs, trace);
    /* iterates that did not converge are an answer as well, and those that diverged show where */
    bool answered = status.code == STATUS_OK || status.code == STATUS_NOT_CONVERGED || status.code == STATUS_DIVERGED;
    if (!answered || implementation->download == NULL)
        return status;
    struct status down = implementation->download(plan, outputs);
    return down.code != STATUS_OK ? down : status;
}
