/* Fuzz target: what ./run.sh draw makes of a journal: its rounds merged, the table for people, the warnings, the comparison with the
 * paper, and the data of every kind of plot. Nothing of it may reach the terminal, or the file that gnuplot reads, but printable text. */
#include "tests/fuzz/fuzz.h"

#include "bench/report/comparison.h"
#include "bench/report/quantity.h"
#include "bench/report/summary.h"
#include "bench/report/table.h"
#include "bench/report/warning_print.h"
#include "plots/page.h"
#include "plots/pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 80, PAGES_MAX = 4 };

static void check_text(const char *text, size_t length, size_t columns)
{
    size_t column = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i], next = (unsigned char)text[i + 1];
        MUST(c == '\n' || c == '\t' || (c >= 0x20 && c != 0x7f));
        MUST(c != 0xc2 || next < 0x80 || next >= 0xa0); /* U+0080 to U+009F */
        column = c == '\n' ? 0 : column + ((c & 0xc0) != 0x80);
        MUST(column <= columns);
    }
}

/* No table has room for a text of any length. */
static bool has_long_text(const struct records *records)
{
    for (size_t i = 0; i < records->n; i++)
        for (int field = 0; field < FIELD_COUNT; field++) {
            const struct value *value = &records->record[i].point.value[field];
            if (value->kind == VALUE_TEXT && strlen(value->text) > COLUMNS_MAX / 4)
                return true;
        }
    return false;
}

static void check_table(const struct records *records)
{
    static const struct precautions precautions = {.rounds = 1, .samples = 1};
    char *text = NULL;
    size_t length;
    struct error error;
    FILE *out = open_memstream(&text, &length);
    MUST(out != NULL);
    MUST(table_print(out, records, &error) && warnings_print(out, records, &precautions, &error));
    MUST(fclose(out) == 0);
    check_text(text, length, has_long_text(records) ? SIZE_MAX : COLUMNS_MAX);
    free(text);
}

/* Every quantity, of all points: four bars a row, whatever stands in the cells. */
static void check_comparison(const struct records *records)
{
    struct sweep sweep = {.name = "fuzz"};
    char *text = NULL;
    size_t length;
    struct claim claim = {.figure = "a", .says = "b", .differs = "c"};
    FILE *out = open_memstream(&text, &length);
    MUST(out != NULL);
    sweep.claim = &claim;
    sweep.n_claims = 1;
    for (claim.here = 0; quantity_get(claim.here) != NULL; claim.here++)
        MUST(comparison_print(out, &sweep, records));
    MUST(fclose(out) == 0);
    check_text(text, length, SIZE_MAX);
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
        int bars = 0;
        for (const char *c = line; *c != '\n'; c++)
            bars += *c == '|' && (c == line || c[-1] != '\\');
        MUST(bars == 0 || bars == 5);
    }
    free(text);
}

static void check_figure(const struct records *records, const struct plot_request *request)
{
    static const struct sweep sweep = {.name = "fuzz"};
    struct figure figure;
    struct error error;
    int n, left_out;
    MUST(figure_make(&sweep, request, records, &figure, &error));
    struct page *pages = pages_make(&figure, PAGES_MAX, &n, &left_out);
    MUST(pages != NULL);
    for (int i = 0; i < n; i++) {
        char *text;
        size_t length;
        pages[i].name = "fuzz";
        MUST(page_text(&pages[i], &text, &length, &error));
        MUST(length > 0);
        check_text(text, length, SIZE_MAX);
        free(text);
    }
    free(pages);
    figure_free(&figure);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct records records;
    struct error error;
    if (!records_read(fuzz_journal(0, bytes, size), &records, &error))
        return -1; /* the target "journal" has those */
    MUST(records_merge(&records, &error));
    for (size_t i = 1; i < records.n; i++)
        MUST(!point_equal(&records.record[i - 1].point, &records.record[i].point));
    check_table(&records);
    check_comparison(&records);
    for (int k = 0; k < plot_kind_count(); k++) {
        const struct plot_kind *kind = plot_kind_get(k);
        for (int i = 0; i < kind->n_x || i == 0; i++) {
            struct plot_request request = {.x = kind->n_x > 0 ? kind->x[i].field : -1, .along = -1};
            snprintf(request.kind, sizeof request.kind, "%s", kind->name);
            snprintf(request.name, sizeof request.name, "%s", kind->name);
            check_figure(&records, &request);
            if (kind->along_instead > 0) {
                request.along = kind->along_instead;
                check_figure(&records, &request);
            }
        }
    }
    records_free(&records);
    return 0;
}
