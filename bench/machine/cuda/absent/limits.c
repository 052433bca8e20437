/* See limits.h: in a build without the CUDA Toolkit. */
#include "bench/machine/cuda/limits.h"

struct status device_limits_measure(struct device_limits *limits)
{
    *limits = (struct device_limits){0, 0};
    return status_at(STATUS_UNSUPPORTED, -1, -1, "%s", device_get()->reason);
}
