/* See rows.h: the rows of gradient records. */
#include "plots/rows.h"
#include "plots/samples.h"

#include <math.h>
#include <stdlib.h>

bool rows_gradient_cosine(struct record *const *record, size_t n, int x, struct drawing *drawing)
{
    enum { X, LACK, LOW, HIGH, WHOLE_RANGE };
    size_t found = 0;
    struct sample *sample = calloc(n, sizeof *sample);
    bool done = sample != NULL;
    for (size_t i = 0; done && i < n; i++) {
        struct sample *at = &sample[found];
        *at = (struct sample){.x = value_number(&record[i]->point.value[x]), .y = record_number(record[i], "gradient.all.lack")};
        bool known = !isnan(at->y);
        if (!known || record[i]->result != RESULT_OK)
            done = drawing_mark(drawing, at->x, record[i]->result);
        found += known || !isnan(at->x); /* unknown: a gap in the line */
    }
    if (done)
        samples_sort(sample, found);
    for (size_t i = 0, same; done && i < found; i += same) {
        same = samples_same_x(sample + i, found - i);
        struct summary summary;
        struct row *row = drawing_row(drawing);
        done = row && samples_summarise(sample + i, same, offsetof(struct sample, y), &summary);
        if (!done)
            break;
        row->value[X] = sample[i].x;
        row->value[LACK] = drawing_error(drawing, summary.median);
        if (same > 1) {
            row->value[LOW] = drawing_error(drawing, summary.low);
            row->value[HIGH] = drawing_error(drawing, summary.high);
        }
        row->value[WHOLE_RANGE] = isnan(sample[i].x); /* does not depend on x: a level line */
        drawing->notes |= (same > 1 ? NOTE_RANGE : 0) | (isnan(sample[i].x) ? NOTE_WITHOUT_X : 0);
    }
    free(sample);
    return done;
}
