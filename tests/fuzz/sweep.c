/* Fuzz target: sweep files. What is refused is refused in a sentence that names the place; what is accepted expands to points that
 * are sound, canonical and distinct. */
#include "bench/command/vocabulary.h"
#include "bench/sweep/check.h"
#include "tests/fuzz/fuzz.h"

#include "bench/journal/records.h"
#include "bench/report/quantity.h"
#include "bench/sweep/sweep.h"
#include "plots/kinds.h"

#include <stdlib.h>
#include <string.h>

/* The one file that a sweep may name as its inputs ("inputs: 101"); others would let an input depend on the machine. */
static const char tensors[] = "{\"v\":{\"dtype\":\"F32\",\"shape\":[1,2,2],\"data_offsets\":[0,16]},"
                              "\"lambda\":{\"dtype\":\"F32\",\"shape\":[1,2,2],\"data_offsets\":[16,32]}}";

static void write_tensors(void)
{
    unsigned char bytes[8 + sizeof tensors - 1 + 32] = {sizeof tensors - 1};
    memcpy(bytes + 8, tensors, sizeof tensors - 1);
    fuzz_file(1, bytes, sizeof bytes);
}

static int order(const void *left, const void *right)
{
    const struct point *a = *(const struct point *const *)left, *b = *(const struct point *const *)right;
    int result = 0;
    for (int field = 0; field < FIELD_COUNT && result == 0; field++)
        result = value_order(&a->value[field], &b->value[field]);
    return result;
}

static void check_points(const struct sweep *sweep)
{
    enum section section;
    struct error error;
    const struct point **sorted = calloc(sweep->n_points, sizeof *sorted);
    /* a point may bring the training that it depends on */
    MUST(sweep->n_points >= 1 && sweep->n_points + sweep->n_shared + sweep->n_skipped <= 2 * SWEEP_POINTS_UNASKED &&
         sorted != NULL);
    for (size_t i = 0; i < sweep->n_points; i++) {
        struct point canonical = sweep->point[i];
        sorted[i] = &sweep->point[i];
        point_canonical(&canonical);
        MUST(point_equal(&canonical, &sweep->point[i]) && point_check(&sweep->point[i], &section, &error));
        if (i < 100) /* the costly part; more of them tell nothing new */
            fuzz_point(&sweep->point[i]);
    }
    qsort(sorted, sweep->n_points, sizeof *sorted, order);
    for (size_t i = 1; i < sweep->n_points; i++)
        MUST(order(&sorted[i - 1], &sorted[i]) != 0);
    free(sorted);
}

static void check_fields(const int *field, int n)
{
    MUST(n >= 0 && n <= PLOT_FIELDS_MAX);
    for (int i = 0; i < n; i++)
        MUST(field[i] >= 0 && field[i] < FIELD_COUNT);
}

static void check_plots(const struct sweep *sweep)
{
    MUST(sweep->n_plots >= 0 && sweep->n_plots <= SWEEP_PLOTS_MAX);
    for (int i = 0; i < sweep->n_plots; i++) {
        const struct plot_request *plot = &sweep->plot[i];
        MUST(plot_kind_find(plot->kind) >= 0 && plot->name[0] != '\0' && strchr(plot->name, '/') == NULL);
        MUST(plot->x >= -1 && plot->x < FIELD_COUNT);
        check_fields(plot->series, plot->n_series);
        check_fields(plot->panel, plot->n_panel);
        for (int k = 0; k < i; k++)
            MUST(strcmp(plot->name, sweep->plot[k].name) != 0);
        filter_keeps(&plot->where, &sweep->point[0]);
    }
}

static void check_claims(const struct sweep *sweep)
{
    for (int i = 0; i < sweep->n_claims; i++) {
        const struct claim *claim = &sweep->claim[i];
        MUST(quantity_get(claim->here) != NULL && claim->figure[0] != '\0' && claim->says[0] != '\0' && claim->differs[0] != '\0');
        MUST(strchr(claim->figure, '\n') == NULL && strchr(claim->says, '\n') == NULL && strchr(claim->differs, '\n') == NULL);
        MUST(claim->where.n_conditions > 0);
        filter_keeps(&claim->where, &sweep->point[0]);
    }
}

/* "LINE:COLUMN: ", both from 1. */
static void check_place(const char *text)
{
    for (int i = 0; i < 2; i++) {
        char *end;
        MUST(*text >= '1' && *text <= '9');
        long number = strtol(text, &end, 10);
        MUST(number > 0 && *end == ':');
        text = end + 1;
    }
    MUST(*text == ' ' && text[1] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct sweep sweep;
    struct error error;
    char prefix[64];
    struct vocabulary vocabulary = sweep_vocabulary;
    vocabulary.plugin = NULL; /* no file that happens to be there is loaded */
    memset(&error, 'x', sizeof error);
    if (memmem(bytes, size, "inputs", 6) != NULL && memchr(bytes, '/', size) != NULL)
        return -1;
    write_tensors();
    const char *path = fuzz_file(0, bytes, size);
    if (sweep_read(&vocabulary, path, NULL, false, &sweep, &error)) {
        MUST(sweep.name[0] != '\0' && strchr(sweep.name, '/') == NULL && memchr(sweep.name, '\0', sizeof sweep.name) != NULL);
        MUST(sweep.run.samples >= 1 && sweep.run.samples <= 10000 && sweep.run.time_limit > 0 && sweep.run.time_limit <= 86400);
        MUST(sweep.source.size == size && memcmp(sweep.source.text, bytes, size) == 0);
        check_points(&sweep);
        check_plots(&sweep);
        check_claims(&sweep);
        sweep_free(&sweep);
    } else {
        snprintf(prefix, sizeof prefix, "%s:", path);
        check_place(fuzz_sentence(&error, prefix));
    }
    MUST(sweep.point == NULL && sweep.memory == NULL && sweep.n_points == 0);
    return 0;
}
