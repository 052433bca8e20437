/* What supports() of every implementation on the device needs alike; see device.h. */
#include "impls/contract/support.h"
#include "impls/cuda/device.h"

bool device_support_begin(struct support *support, const struct problem *problem, const struct settings *settings,
                          const struct environment *environment, const struct implementation *implementation)
{
    const struct device_facts *device = device_get();
    *support = (struct support){.yes = true};
    if (!device->there)
        support_no(support, "%s", device->reason);
    else if (support_begin(support, problem, settings, environment, implementation) && problem->dtype != DTYPE_FLOAT32)
        support_no(support, "only float32 is supported on the device");
    return support->yes;
}

void device_support_memory(struct support *support, const struct problem *problem, const struct settings *settings,
                           const struct environment *environment, double host_bytes, double device_bytes)
{
    const struct device_facts *device = device_get();
    support_memory(support, problem, settings, environment, host_bytes);
    if (!support->yes)
        return;
    if (device->there && device_bytes > (double)device->memory)
        support_no(support, "needs %.1f MB of the device's memory, %s has %.1f MB", device_bytes / 1e6, device->name,
                   (double)device->memory / 1e6);
    support->device_bytes = (size_t)device_bytes;
}
