/* See roofs.h: the figures as JSON, and back from JSON that nobody vouches for. */
#include "bench/machine/roofs.h"

#include <math.h>
#include <string.h>

#define MILLION 1e6
#define RATE_MAX 1e12 /* millions a second: beyond any machine, and exact as an integer */
#define SET_MAX 1e15

/* A rate in whole millions, null for 0. */
static json_t *rate_json(double rate)
{
    return rate > 0 ? json_integer((json_int_t)llround(rate / MILLION)) : json_null();
}

static json_t *bandwidths_json(const struct roofs *roofs, const struct roof *roof)
{
    json_t *object = json_object();
    for (int k = 0; object != NULL && k < ROOF_KERNEL_COUNT; k++) {
        bool any = false;
        json_t *list = json_array();
        for (int i = 0; i < roofs->n_sets; i++) {
            any = any || roof->bandwidth[k][i] > 0;
            json_array_append_new(list, rate_json(roof->bandwidth[k][i]));
        }
        json_object_set(object, roof_kernel_names[k], any ? list : json_null());
        json_decref(list);
    }
    return object;
}

static json_t *rates_json(const double rate[DTYPE_COUNT][LEVEL_COUNT])
{
    json_t *object = json_object();
    for (int dtype = 0; object != NULL && dtype < DTYPE_COUNT; dtype++) {
        json_t *levels = json_object();
        for (int level = 0; level < LEVEL_COUNT; level++)
            json_object_set_new(levels, level_names[level], rate_json(rate[dtype][level]));
        json_object_set_new(object, dtype_names[dtype], levels);
    }
    return object;
}

json_t *roofs_to_json(const struct roofs *roofs)
{
    json_t *sets = json_array(), *list = json_array();
    for (int i = 0; i < roofs->n_sets; i++)
        json_array_append_new(sets, json_integer((json_int_t)roofs->set[i]));
    for (int i = 0; i < roofs->n_roofs; i++) {
        const struct roof *roof = &roofs->roof[i];
        json_array_append_new(list,
                              json_pack("{s:i, s:o, s:o, s:o}", "threads", roof->threads, "MB_per_s", bandwidths_json(roofs, roof),
                                        "MFLOP_per_s", rates_json(roof->rate), "MEXP_per_s", rates_json(roof->exponentials)));
    }
    json_t *device = roofs->device.rate > 0 ? json_pack("{s:o, s:o}", "MB_per_s", rate_json(roofs->device.bandwidth), "MFLOP_per_s",
                                                        rate_json(roofs->device.rate))
                                            : json_null();
    return json_pack("{s:s, s:b, s:o, s:o, s:o}", "level", level_names[roofs->level], "shortened", (int)roofs->shortened, "sets",
                     sets, "threads", list, "device", device);
}

/* ---- Reading ----------------------------------------------------------------------------------------------------------- */

/* A rate, or 0 for null. */
static bool read_rate(const json_t *json, double *rate)
{
    double millions = json_is_integer(json) ? (double)json_integer_value(json) : 0;
    *rate = millions * MILLION;
    return json_is_null(json) || (millions > 0 && millions <= RATE_MAX);
}

static bool read_level(const json_t *json, enum level *level)
{
    const char *word = json_string_value(json);
    for (*level = 0; word != NULL && *level < LEVEL_COUNT; ++*level)
        if (strcmp(word, level_names[*level]) == 0)
            return true;
    return false;
}

static bool read_sets(const json_t *list, struct roofs *roofs)
{
    size_t n = json_array_size(list);
    if (n < 1 || n > ROOF_SETS_MAX)
        return false;
    for (roofs->n_sets = 0; (size_t)roofs->n_sets < n; roofs->n_sets++) {
        const json_t *json = json_array_get(list, (size_t)roofs->n_sets);
        double set = json_is_integer(json) ? (double)json_integer_value(json) : 0;
        if (!(set > (roofs->n_sets > 0 ? roofs->set[roofs->n_sets - 1] : 0)) || set > SET_MAX)
            return false;
        roofs->set[roofs->n_sets] = set;
    }
    return true;
}

static bool read_bandwidths(const json_t *json, const struct roofs *roofs, struct roof *roof)
{
    for (int k = 0; k < ROOF_KERNEL_COUNT; k++) {
        const json_t *list = json_object_get(json, roof_kernel_names[k]);
        if (json_is_null(list))
            continue;
        if (json_array_size(list) != (size_t)roofs->n_sets)
            return false;
        for (int i = 0; i < roofs->n_sets; i++)
            if (!read_rate(json_array_get(list, (size_t)i), &roof->bandwidth[k][i]))
                return false;
    }
    return true;
}

static bool read_rates(const json_t *json, double rate[DTYPE_COUNT][LEVEL_COUNT])
{
    for (int dtype = 0; dtype < DTYPE_COUNT; dtype++)
        for (int level = 0; level < LEVEL_COUNT; level++)
            if (!read_rate(json_object_get(json_object_get(json, dtype_names[dtype]), level_names[level]), &rate[dtype][level]))
                return false;
    return true;
}

static bool read_roof(const json_t *json, struct roofs *roofs)
{
    struct roof *roof = &roofs->roof[roofs->n_roofs];
    const json_t *exponentials = json_object_get(json, "MEXP_per_s");
    json_int_t threads = json_integer_value(json_object_get(json, "threads"));
    *roof = (struct roof){.threads = 0};
    if (threads < 1 || threads > ROOF_THREADS_MAX || roofs_find(roofs, (int)threads) != NULL)
        return false;
    roof->threads = (int)threads;
    roofs->n_roofs++;
    return read_bandwidths(json_object_get(json, "MB_per_s"), roofs, roof) &&
           read_rates(json_object_get(json, "MFLOP_per_s"), roof->rate) &&
           (exponentials == NULL || read_rates(exponentials, roof->exponentials)); /* older figures have none */
}

/* Older figures, and those of machines without a device, have none. */
static bool read_device(const json_t *json, struct device_limits *device)
{
    return json == NULL || json_is_null(json) ||
           (read_rate(json_object_get(json, "MB_per_s"), &device->bandwidth) &&
            read_rate(json_object_get(json, "MFLOP_per_s"), &device->rate));
}

bool roofs_from_json(const json_t *json, struct roofs *roofs, struct error *error)
{
    const json_t *shortened = json_object_get(json, "shortened"), *list = json_object_get(json, "threads");
    size_t n = json_array_size(list);
    *roofs = (struct roofs){.shortened = json_is_true(shortened)};
    if (!json_is_object(json))
        return fail(error, "machine limits: expected an object");
    if (!read_level(json_object_get(json, "level"), &roofs->level))
        return fail(error, "machine limits: level: unknown instruction set");
    if (!json_is_boolean(shortened))
        return fail(error, "machine limits: shortened must be true or false");
    if (!read_sets(json_object_get(json, "sets"), roofs))
        return fail(error, "machine limits: sets must be 1 to %d ascending sizes in bytes", ROOF_SETS_MAX);
    if (n < 1 || n > ROOF_COUNTS_MAX)
        return fail(error, "machine limits: threads must be a list of 1 to %d objects", ROOF_COUNTS_MAX);
    if (!read_device(json_object_get(json, "device"), &roofs->device))
        return fail(error, "machine limits: device has no rate");
    for (size_t i = 0; i < n; i++)
        if (!read_roof(json_array_get(list, i), roofs))
            return fail(error,
                        "machine limits: threads[%zu] needs a distinct number of threads, a bandwidth for each set, and a rate", i);
    return true;
}
