/* See roofs.h: the ladder, and the bound that follows from what was measured. */
#include "bench/machine/roofs.h"

#include "bench/base/parse.h"

#include <math.h>

#define FIRST_SET 16384.0       /* bytes: half of a small first cache */
#define USUAL_LAST 1073741824.0 /* outgrows nearly every cache there is */
#define MEMORY_SHARE 0.25       /* of what is available */

const char *const roof_kernel_names[ROOF_KERNEL_COUNT] = {"copy", "copy_nt", "triad", "triad_nt", "read"};
const int roof_kernel_arrays[ROOF_KERNEL_COUNT] = {2, 2, 3, 3, 1};

#ifdef LEVELS_X86
#define EACH_LEVEL(X, bits) X(bits, baseline) X(bits, avx2) X(bits, avx512)
#else
#define EACH_LEVEL(X, bits) X(bits, baseline)
#endif
#define DECLARE(bits, level) extern const struct roof_kernels roof_kernels_f##bits##_##level;
#define ENTRY(bits, level) &roof_kernels_f##bits##_##level,

EACH_LEVEL(DECLARE, 32)
EACH_LEVEL(DECLARE, 64)

const struct roof_kernels *roof_kernels_get(enum dtype dtype, enum level level)
{
    static const struct roof_kernels *const table[DTYPE_COUNT][LEVEL_COUNT] = {{EACH_LEVEL(ENTRY, 32)}, {EACH_LEVEL(ENTRY, 64)}};
    return table[dtype][level];
}

void roofs_ladder(double largest_cache, double available, struct roofs *roofs)
{
    double wanted = fmax(USUAL_LAST, 2 * largest_cache), most = available > 0 ? MEMORY_SHARE * available : wanted;
    *roofs = (struct roofs){.n_sets = 0};
    for (double set = FIRST_SET; roofs->n_sets < ROOF_SETS_MAX; set *= 2) {
        bool enough = roofs->n_sets > 0 && roofs->set[roofs->n_sets - 1] >= wanted;
        roofs->shortened = !enough && roofs->n_sets > 0 && set > most;
        if (enough || roofs->shortened)
            break;
        roofs->set[roofs->n_sets++] = set;
    }
}

const struct roof *roofs_find(const struct roofs *roofs, int threads)
{
    for (int i = 0; i < roofs->n_roofs; i++)
        if (roofs->roof[i].threads == threads)
            return &roofs->roof[i];
    return NULL;
}

double roof_bandwidth(const struct roof *roof, int set)
{
    double highest = 0;
    for (int k = 0; k < ROOF_KERNEL_COUNT; k++)
        highest = fmax(highest, roof->bandwidth[k][set]);
    return highest;
}

/* The times that follow from bandwidth, rate and exponentials a second; false where one that is needed is not known. */
static bool bound_finish(const struct work *work, double exponentials, struct bound *bound)
{
    if (!(bound->bandwidth > 0) || !(bound->rate > 0) || (work->exponentials > 0 && !(exponentials > 0)))
        return false;
    bound->bytes_s = work->bytes / bound->bandwidth;
    bound->operations_s = work->operations / bound->rate;
    if (work->exponentials > 0)
        bound->operations_s += work->exponentials / exponentials;
    bound->bytes_bind = bound->bytes_s >= bound->operations_s;
    bound->seconds = fmax(bound->bytes_s, bound->operations_s);
    return true;
}

bool roofs_bound(const struct roofs *roofs, const struct work *work, int threads, enum level level, enum dtype dtype,
                 struct bound *bound)
{
    const struct roof *roof = roofs_find(roofs, threads);
    *bound = (struct bound){.bandwidth = 0};
    if (roof == NULL || roofs->n_sets == 0)
        return false;
    int last = roofs->n_sets - 1, above = 0;
    while (above < last && roofs->set[above] < work->set)
        above++;
    int below = above > 0 && roofs->set[above] > work->set ? above - 1 : above;
    bound->bandwidth = fmax(roof_bandwidth(roof, below), roof_bandwidth(roof, above));
    bound->rate = roof->rate[dtype][work->library ? roofs->level : level];
    return bound_finish(work, roof->exponentials[dtype][level], bound);
}

bool roofs_device_bound(const struct roofs *roofs, const struct work *work, struct bound *bound)
{
    *bound = (struct bound){.bandwidth = roofs->device.bandwidth, .rate = roofs->device.rate};
    return bound_finish(work, 0, bound);
}

json_t *bound_to_json(const struct bound *bound, double median_seconds)
{
    return json_pack("{s:o, s:o, s:o, s:s, s:o}", "GB_per_s", json_number(bound->bandwidth / 1e9), "GFLOP_per_s",
                     json_number(bound->rate / 1e9), "seconds", json_number(bound->seconds), "binds",
                     bound->bytes_bind ? "bytes" : "operations", "share", json_number(bound->seconds / median_seconds));
}
