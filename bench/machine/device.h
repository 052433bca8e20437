/* The CUDA device in records and machine.json: its description, and the conditions under which its points were measured.
 * impls/cuda/device.h is the device itself. */
#ifndef BENCH_MACHINE_DEVICE_H
#define BENCH_MACHINE_DEVICE_H

#include <jansson.h>
#include <stddef.h>

/* What decides, beside the build, the results of such a point: name and driver of the device, or why there is none. */
void device_conditions(size_t capacity, char text[capacity]);

/* For a record: {"name": null where there is none, "driver": of CUDA or null, "proof": what its implementations have been run on so
 * far}. NULL when out of memory. */
json_t *device_of_record(void);

/* For machine.json: {"there": false, "reason":}, or what the driver and NVML report about the card. */
json_t *device_to_json(void);

#endif
