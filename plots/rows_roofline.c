/* See rows.h: operations a second over operations per byte, a row for each throughput record. Different points may have the same
 * number of operations per byte, so nothing is summarised. An exponential that is counted apart counts as the operations that take as
 * long: so the bound of the point is what the lines show at its place. */
#include "plots/kinds.h"
#include "plots/machine_limits.h"

#include <math.h>

bool rows_roofline(struct record *const *record, size_t n, int x, const struct plot_kind *kind, struct drawing *drawing)
{
    (void)x, (void)kind;
    enum { INTENSITY, RATE };
    bool done = true;
    for (size_t i = 0; done && i < n; i++) {
        double seconds = column_number(record[i], COLUMN_TIME_MEDIAN), bytes = column_number(record[i], COLUMN_BYTES),
               operations = column_number(record[i], COLUMN_OPERATIONS),
               exponentials = column_number(record[i], COLUMN_EXPONENTIALS);
        bool timed = seconds > 0;
        if (!timed || record[i]->result != RESULT_OK)
            done = drawing_mark(drawing, NAN, record[i]->result);
        if (!done || !timed || !(bytes > 0) || !(operations > 0)) /* what counts nothing has no place */
            continue;
        if (exponentials > 0) {
            double each = machine_limits_exponential(drawing->limits, record[i]);
            drawing->notes |= isnan(each) ? NOTE_UNCOUNTED : NOTE_EXPONENTIALS;
            operations += isnan(each) ? 0 : each * exponentials;
        }
        struct row *row = drawing_row(drawing);
        done = row != NULL;
        if (done) {
            row->value[INTENSITY] = operations / bytes;
            row->value[RATE] = operations / seconds / 1e9;
        }
    }
    return done;
}
