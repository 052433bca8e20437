/* See device.h. */
#include "bench/machine/device.h"

#include "bench/base/parse.h"
#include "bench/machine/nvml.h"
#include "impls/cuda/device.h"
#include "impls/cuda/registry.h"

#include <stdio.h>

void device_conditions(size_t capacity, char text[capacity])
{
    const struct device_facts *device = device_get();
    if (device->there)
        snprintf(text, capacity, "%s driver %d", device->name, device->driver);
    else
        snprintf(text, capacity, "%s", device->reason);
}

static json_t *version(int number)
{
    return number > 0 ? json_sprintf("%d.%d", number / 1000, number % 1000 / 10) : json_null();
}

json_t *device_of_record(void)
{
    const struct device_facts *device = device_get();
    return json_pack("{s:o, s:o, s:s}", "name", json_text(device->there ? device->name : NULL), "driver", version(device->driver),
                     "proof", CUDA_PROOF);
}

static json_t *positive(double value)
{
    return value > 0 ? json_number(value) : json_null();
}

json_t *device_to_json(void)
{
    const struct device_facts *device = device_get();
    if (!device->there)
        return json_pack("{s:b, s:o, s:o, s:o}", "there", 0, "reason", json_text(device->reason), "runtime",
                         version(device->runtime), "driver", version(device->driver));
    // clang-format off
    return json_pack("{s:b, s:o, s:o, s:o, s:o, s:o, s:i, s:o, s:o, s:o, s:o, s:o, s:i, s:b, s:o}",
                     "there", 1,
                     "name", json_text(device->name),
                     "pci", json_text(device->pci),
                     "runtime", version(device->runtime),
                     "driver", version(device->driver),
                     "compute_capability", json_sprintf("%d.%d", device->major, device->minor),
                     "multiprocessors", device->multiprocessors,
                     "memory_bytes", positive((double)device->memory),
                     "cache_bytes", positive((double)device->cache),
                     "shared_bytes_a_block", positive((double)device->shared),
                     "clock_most_MHz", positive(device->clock_hz / 1e6),
                     "memory_clock_most_MHz", positive(device->memory_clock_hz / 1e6),
                     "memory_bits", device->memory_bits,
                     "ecc", (int)device->ecc,
                     "nvml", nvml_to_json(device->pci));
    // clang-format on
}
