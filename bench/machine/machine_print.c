/* See machine_print.h. */
#include "bench/machine/machine_print.h"

#include "bench/base/shown.h"
#include "bench/machine/cpu.h"
#include "bench/machine/machine_threads.h"
#include "bench/machine/product.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* 32 KiB, 480 MiB; "-" for 0 */
static void put_size(FILE *out, const char *format, double bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
    char text[32];
    size_t unit = 0;
    while (bytes >= 1024 && unit + 1 < sizeof units / sizeof units[0]) {
        bytes /= 1024;
        unit++;
    }
    snprintf(text, sizeof text, "%.4g %s", bytes, units[unit]);
    fprintf(out, format, text);
}

static void put_machine(FILE *out)
{
    struct cpu cpu;
    cpu_read(&cpu);
    shown_line(out, cpu.model[0] ? cpu.model : "unknown processor");
    fprintf(out, ", %d threads", machine_threads());
    for (int i = 0; i < cpu.n_caches; i++)
        if (strcmp(cpu.cache[i].kind, "Instruction") != 0) {
            fprintf(out, ", L%d ", cpu.cache[i].level);
            put_size(out, "%s", (double)cpu.cache[i].bytes);
        }
    fputs("; levels", out);
    for (enum level level = 0; level < LEVEL_COUNT; level++)
        if (level_available(level))
            fprintf(out, " %s", level_names[level]);
    fputc('\n', out);
}

/* "1 thread", "2 threads" */
static void put_threads(FILE *out, int width, int threads)
{
    char text[32];
    snprintf(text, sizeof text, "%d thread%s", threads, threads == 1 ? "" : "s");
    fprintf(out, "%-*s", width, text);
}

/* Three digits, whatever the size. */
static void put_rate(FILE *out, int width, double rate)
{
    double giga = rate / 1e9;
    if (rate > 0)
        fprintf(out, "%*.*f", width, giga < 10 ? 2 : giga < 100 ? 1 : 0, giga);
    else
        fprintf(out, "%*s", width, "-");
}

static void put_bandwidths(FILE *out, const struct roofs *roofs)
{
    enum { FIRST = 12, COLUMN = 9 };
    fprintf(out, "\nBandwidth [GB/s] over the working set (all arrays of all threads), %s\n%-*s", level_names[roofs->level], FIRST,
            "");
    for (int r = 0; r < roofs->n_roofs; r++) {
        fputs("   ", out);
        put_threads(out, r + 1 < roofs->n_roofs ? ROOF_KERNEL_COUNT * COLUMN - 1 : 0, roofs->roof[r].threads);
    }
    fprintf(out, "\n%-*s", FIRST, "");
    for (int r = 0; r < roofs->n_roofs; r++)
        for (int k = 0; k < ROOF_KERNEL_COUNT; k++)
            fprintf(out, "%*s", COLUMN + (k == 0 && r > 0), roof_kernel_names[k]);
    for (int i = 0; i < roofs->n_sets; i++) {
        fputc('\n', out);
        put_size(out, "%12s", roofs->set[i]);
        for (int r = 0; r < roofs->n_roofs; r++)
            for (int k = 0; k < ROOF_KERNEL_COUNT; k++)
                put_rate(out, COLUMN + (k == 0 && r > 0), roofs->roof[r].bandwidth[k][i]);
    }
    fputs("\nBytes are those that the program reads and writes: copy counts 2 arrays, triad 3, read 1. Ordinary stores also\n"
          "read the lines that they overwrite; this is not counted. The stores of _nt bypass the caches.\n",
          out);
    if (roofs->shortened)
        fputs("The largest working set is a quarter of the available memory; it may not exceed the caches by enough.\n", out);
}

static void put_rates(FILE *out, const struct roofs *roofs, bool exponentials)
{
    enum { FIRST = 22, COLUMN = 10 };
    fprintf(out, "\n%s\n%-*s",
            exponentials ? "Exponentials in the first cache [10^9 a second]"
                         : "Multiply-adds in registers [GFLOP/s], each counted as 2",
            FIRST, "");
    for (int level = 0; level < LEVEL_COUNT; level++)
        fprintf(out, "%*s", COLUMN, level_names[level]);
    for (int dtype = 0; dtype < DTYPE_COUNT; dtype++)
        for (int r = 0; r < roofs->n_roofs; r++) {
            fprintf(out, "\n  %-8s", dtype_names[dtype]);
            put_threads(out, FIRST - 10, roofs->roof[r].threads);
            for (int level = 0; level < LEVEL_COUNT; level++)
                put_rate(out, COLUMN, (exponentials ? roofs->roof[r].exponentials : roofs->roof[r].rate)[dtype][level]);
        }
    fputc('\n', out);
}

static void put_device(FILE *out, const struct roofs *roofs)
{
    const struct device_facts *device = device_get();
    fputs("\nCUDA device: ", out);
    shown_line(out, device->there ? device->name : device->reason);
    fputc('\n', out);
    if (roofs->device.rate > 0)
        fprintf(out, "  copy within its memory %.4g GB/s, multiply-adds of float32 in registers %.5g GFLOP/s\n",
                roofs->device.bandwidth / 1e9, roofs->device.rate / 1e9);
}

void roofs_print(FILE *out, const struct roofs *roofs)
{
    put_bandwidths(out, roofs);
    put_rates(out, roofs, false);
    put_rates(out, roofs, true);
    put_device(out, roofs);
}

/* Beside the multiply-adds of one thread. */
static void put_product(FILE *out, const struct product *product)
{
    const struct product_rates *rates[] = {&product->here, &product->free};
    fputs("\nMatrix products of OpenBLAS, one thread [GFLOP/s]\n", out);
    for (int i = 0; i < (product->forced[0] != '\0' ? 2 : 1); i++) {
        fprintf(out, "  %-20s", rates[i]->core);
        for (int dtype = 0; dtype < DTYPE_COUNT; dtype++) {
            fprintf(out, "  %s", dtype_names[dtype]);
            put_rate(out, 7, rates[i]->rate[dtype]);
        }
        fprintf(out, "%s\n", product->forced[0] == '\0' ? "" : i == 0 ? "  as the environment has it" : "  by its own choice");
    }
    if (product->forced[0] != '\0')
        fprintf(out, "The environment says: %s\n", product->forced);
}

bool machine_print(FILE *out, const char *program, struct error *error)
{
    int threads[] = {1, machine_threads()}, n = threads[1] > 1 ? 2 : 1;
    json_t *json;
    struct product product;
    struct roofs *roofs = malloc(sizeof *roofs);
    put_machine(out);
    fflush(out);
    bool good = (roofs != NULL || fail_memory(error)) && product_run(program, &product, error) &&
                roofs_run(program, threads, n, device_get()->there, &json, error);
    if (good) {
        good = roofs_from_json(json, roofs, error);
        json_decref(json);
    }
    if (good)
        roofs_print(out, roofs);
    if (good)
        put_product(out, &product);
    free(roofs);
    return good;
}
