/* See page_roofs.h. */
#include "plots/page_roofs.h"

#include <math.h>
#include <stdlib.h>

struct roof_lines *page_roofs_make(const struct page *page, unsigned *notes)
{
    struct roof_lines *lines = calloc((size_t)page->n_panels, sizeof *lines);
    for (int p = 0; lines && p < page->n_panels; p++) {
        size_t n;
        struct record **record = page_records(page, p, 1, &n);
        if (!record) {
            free(lines);
            return NULL;
        }
        if (page->figure->limits && roof_lines_make(page->figure->limits, record, n, &lines[p]))
            *notes |= NOTE_ROOFS;
        else
            *notes |= NOTE_NO_ROOFS;
        free(record);
    }
    return lines;
}

static double lowest_bandwidth(const struct roof_lines *lines)
{
    double lowest = lines->n ? INFINITY : NAN;
    for (int i = 0; i < lines->n; i++)
        lowest = fmin(lowest, lines->line[i].bandwidth);
    return lowest;
}

double roof_lines_reach(const struct roof_lines *lines)
{
    return lines->ceiling / lowest_bandwidth(lines);
}

double roof_lines_lowest(const struct roof_lines *lines, double x)
{
    double lowest = lowest_bandwidth(lines);
    return isnan(lowest) ? NAN : fmin(lines->ceiling, lowest * x);
}

void page_roofs_texts(FILE *out, const struct roof_lines *lines, int panel, double x_high)
{
    const double high = 0.7, low = 0.2, close = 2; /* of where a line meets the ceiling: few dots are there */
    double place = low;
    for (int i = 0; i < lines->n; i++) { /* names of close lines take turns */
        double bandwidth = lines->line[i].bandwidth;
        place = i > 0 && place == high && lines->line[i - 1].bandwidth < close * bandwidth ? low : high;
        double x = place * lines->ceiling / bandwidth;
        fprintf(out, "%d\t-1\tline\t%.7g\t%.7g\t0\t%s %.3g GB/s\n", panel, x, bandwidth * x, lines->line[i].name, bandwidth);
    }
    if (lines->n)
        fprintf(out, "%d\t-1\tceiling\t%.7g\t%.7g\t0\t%s %.3g GFLOP/s\n", panel, x_high, lines->ceiling, dtype_names[lines->dtype],
                lines->ceiling);
}

void page_roofs_block(FILE *out, const struct roof_lines *lines, double x_low, double x_high)
{
    fputs("\n\n# The machine's limits: each line, then what nothing exceeds.\n# operations_per_byte\tGFLOP_per_s\n", out);
    double fastest = 0;
    for (int i = 0; i < lines->n; i++) {
        double bandwidth = lines->line[i].bandwidth, ridge = lines->ceiling / bandwidth;
        fastest = fmax(fastest, bandwidth);
        fprintf(out, "# %s, a working set of %.0f bytes\n", lines->line[i].name, lines->line[i].set);
        fprintf(out, "%.7g\t%.7g\n%.7g\t%.7g\n\n", x_low, x_low * bandwidth, ridge, lines->ceiling);
    }
    if (lines->n)
        fprintf(out, "# %s\n%.7g\t%.7g\n%.7g\t%.7g\n", dtype_names[lines->dtype], lines->ceiling / fastest, lines->ceiling, x_high,
                lines->ceiling);
    else
        fputs("NaN\tNaN\n", out);
}
