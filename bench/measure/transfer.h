/* The time to copy the tensors of a point to a device and back, which is not part of the time of its calls. */
#ifndef BENCH_MEASURE_TRANSFER_H
#define BENCH_MEASURE_TRANSFER_H

#include "bench/measure/sampling.h"

#include <jansson.h>

/* {"upload_s": of the inputs, "download_s": of the outputs, each the least of a few by the host's clock, "caches": what is done with
 * the device's between calls}; JSON's null for a call that has nothing to carry. The outputs of the call before are those that come
 * back. call->status is that of a transfer that failed. */
json_t *transfers_measure(struct call *call);

#endif
