/* See absent.h; and device_get() of a build without the CUDA Toolkit. */
#include "impls/cuda/absent/absent.h"

#include "impls/contract/support.h"
#include "impls/cuda/device.h"

#ifndef CUDA_ABSENT /* the Makefile says it where there is a Toolkit, but not one for this */
#define CUDA_ABSENT "no CUDA Toolkit (nvcc) was found"
#endif

const struct device_facts *device_get(void)
{
    static const struct device_facts none = {.reason = "built without CUDA: " CUDA_ABSENT};
    return &none;
}

void cuda_absent_supports(const struct problem *problem, const struct settings *settings, const struct environment *environment,
                          struct support *support)
{
    (void)problem, (void)settings, (void)environment;
    *support = (struct support){.yes = true};
    support_no(support, "%s", device_get()->reason);
}

void cuda_absent_count(const struct problem *problem, const struct settings *settings, const struct environment *environment,
                       int64_t l, struct work *work)
{
    (void)problem, (void)settings, (void)environment, (void)l;
    *work = (struct work){.bytes = 0};
}

struct status cuda_absent_plan(const struct problem *problem, const struct settings *settings,
                               const struct environment *environment, struct plan **plan)
{
    (void)problem, (void)settings, (void)environment;
    *plan = NULL;
    return status_at(STATUS_UNSUPPORTED, -1, -1, "%s", device_get()->reason);
}

struct status cuda_absent_forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs,
                                  struct trace *trace)
{
    (void)plan, (void)inputs, (void)outputs, (void)trace;
    return status_at(STATUS_UNSUPPORTED, -1, -1, "%s", device_get()->reason);
}

void cuda_absent_destroy(struct plan *plan)
{
    (void)plan;
}
