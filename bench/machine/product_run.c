/* See product.h: in child processes, with and without what the environment forces; and as JSON. */
#include "bench/machine/product.h"

#include "bench/base/parse.h"
#include "bench/base/process.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double time_limit = 60; /* some thousand times what it takes */

/* Whether OpenBLAS reads a variable "NAME=value". */
static bool is_read(const char *variable)
{
    static const char *const prefixes[] = {"OPENBLAS_", "GOTO_NUM_THREADS="};
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (strncmp(variable, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

void product_forced(char text[PRODUCT_FORCED_SIZE])
{
    size_t used = 0;
    text[0] = '\0';
    for (char **variable = environ; *variable != NULL && used < PRODUCT_FORCED_SIZE; variable++)
        if (is_read(*variable))
            used += (size_t)snprintf(text + used, PRODUCT_FORCED_SIZE - used, "%s%s", used > 0 ? " " : "", *variable);
    for (char *c = text; *c != '\0'; c++) /* it is printed */
        if (!isgraph((unsigned char)*c) && *c != ' ')
            *c = '?';
}

static json_t *rates_to_json(const struct product_rates *rates)
{
    return json_pack("{s:o, s:{s:o, s:o}}", "core", json_text(rates->core), "MFLOP_per_s", dtype_names[DTYPE_FLOAT32],
                     json_number(round(rates->rate[DTYPE_FLOAT32] / 1e6)), dtype_names[DTYPE_FLOAT64],
                     json_number(round(rates->rate[DTYPE_FLOAT64] / 1e6)));
}

/* And back; rates that are missing are 0. */
static void rates_from_json(const json_t *json, struct product_rates *rates)
{
    const char *core = json_string_value(json_object_get(json, "core"));
    *rates = (struct product_rates){.core = ""};
    snprintf(rates->core, sizeof rates->core, "%s", core != NULL ? core : "");
    for (int dtype = 0; dtype < DTYPE_COUNT; dtype++)
        rates->rate[dtype] = 1e6 * json_number_value(json_object_get(json_object_get(json, "MFLOP_per_s"), dtype_names[dtype]));
}

bool product_command(FILE *out, struct error *error)
{
    struct product_rates rates;
    if (!product_measure(&rates, error))
        return false;
    json_t *json = rates_to_json(&rates);
    bool good = (json != NULL && json_dumpf(json, out, JSON_COMPACT) == 0 && fflush(out) == 0) ||
                fail(error, "matrix products: cannot write the results");
    json_decref(json);
    return good;
}

/* What a child says that has the environment but for the variables left out. */
static bool run_child(const char *program, bool (*leave_out)(const char *variable), struct product_rates *rates,
                      struct error *error)
{
    const char *const argv[] = {program, "product", NULL};
    const struct process_request request = {.argv = argv, .leave_out = leave_out, .time_limit = time_limit};
    struct process_result process;
    json_t *json = NULL;
    if (!process_run(&request, &process, error))
        return false;
    bool good = true;
    if (process.timed_out)
        good = fail(error, "measuring matrix products took more than %.0f s", time_limit);
    else if (process.signal != 0 || process.exit_status != 0)
        good = fail(error, "measuring matrix products failed: %.*s", (int)strcspn(process.errors, "\n"), process.errors);
    else if (!json_parse(process.output, process.output_size, 0, &json, NULL))
        good = fail_memory(error);
    rates_from_json(json, rates);
    if (good && !(rates->rate[DTYPE_FLOAT32] > 0 && rates->rate[DTYPE_FLOAT64] > 0))
        good = fail(error, "measuring matrix products returned no rates");
    json_decref(json);
    process_result_free(&process);
    return good;
}

bool product_run(const char *program, struct product *product, struct error *error)
{
    *product = (struct product){.forced = ""};
    product_forced(product->forced);
    if (!run_child(program, NULL, &product->here, error))
        return false;
    product->free = product->here;
    return product->forced[0] == '\0' || run_child(program, is_read, &product->free, error);
}

double product_loss(const struct product *product)
{
    double loss = 0;
    for (int dtype = 0; dtype < DTYPE_COUNT && product->forced[0] != '\0'; dtype++)
        loss = fmax(loss, product->free.rate[dtype] / product->here.rate[dtype]);
    return loss;
}

json_t *product_to_json(const struct product *product)
{
    struct json_watch watch;
    json_watch_begin(&watch);
    json_t *json = rates_to_json(&product->here);
    json_object_set_new(json, "forced",
                        product->forced[0] != '\0'
                            ? json_pack("{s:o, s:o}", "by", json_text(product->forced), "free", rates_to_json(&product->free))
                            : json_null());
    if (json_watch_end(&watch))
        return json;
    json_decref(json);
    return NULL;
}

void product_describe(const json_t *json, size_t capacity, char *text)
{
    const json_t *forced = json_object_get(json, "forced");
    const char *by = json_string_value(json_object_get(forced, "by"));
    struct product_rates here, free;
    text[0] = '\0';
    if (by == NULL)
        return;
    rates_from_json(json, &here);
    rates_from_json(json_object_get(forced, "free"), &free);
    snprintf(
        text, capacity,
        "With %s OpenBLAS (%s) multiplies with %.3g GFLOP/s in float32 and %.3g in float64; by its own choice (%s) with %.3g and "
        "%.3g.",
        by, here.core, here.rate[DTYPE_FLOAT32] / 1e9, here.rate[DTYPE_FLOAT64] / 1e9, free.core, free.rate[DTYPE_FLOAT32] / 1e9,
        free.rate[DTYPE_FLOAT64] / 1e9);
}
