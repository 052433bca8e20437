/* The device's limits under the runner: that their kernels do what they claim, device_limits_measure() looks at itself. */
#include "bench/machine/cuda/limits.h"
#include "tests/cuda/runner_ways.h"

#include <stdio.h>

int main(void)
{
    struct device_limits limits;
    runner_ways_choose(RUNNER_RANDOM, 2, 1);
    struct status status = device_limits_measure(&limits);
    printf("%s: %s\n", status_names[status.code], status.message);
    return status.code == STATUS_OK && limits.bandwidth > 0 && limits.rate > 0 ? 0 : 1;
}
