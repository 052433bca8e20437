/* What the NVIDIA management library (NVML) reports about a card beyond the CUDA runtime. Loaded if present; nothing is ever
 * set. */
#ifndef BENCH_MACHINE_NVML_H
#define BENCH_MACHINE_NVML_H

#include <jansson.h>

/* {"driver":, "memory_bytes":, "clock_MHz":, "clock_most_MHz":, "memory_clock_MHz":, "memory_clock_most_MHz":, "ecc": true or false,
 * "power_limit_W":, "power_limit_usual_W":, "temperature_C":} of the card with this PCI address, null for what it does not tell; JSON's
 * null where the library or the card is not there. */
json_t *nvml_to_json(const char *pci);

#endif
