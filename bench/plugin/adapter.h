/* A plug-in that this process has opened, as an implementation: problems, settings and tensors of the contract in the words of
 * fprnn.h, and what comes back in those of the contract. */
#ifndef BENCH_PLUGIN_ADAPTER_H
#define BENCH_PLUGIN_ADAPTER_H

#include "bench/plugin/fprnn.h"
#include "impls/registry/plugins.h"

struct adapted {
    const char *name; /* of its row of the registry */
    const struct fprnn_plugin *plugin;
};

/* From now on the row of that name is this plug-in. The struct stays where it is. */
void adapter_load(struct adapted *adapted);

#endif
