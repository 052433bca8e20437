/* See drawing.h. */
#include "plots/drawing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double ERROR_CEILING = 1e3; /* a relative error beyond it says no more, and would flatten every other curve */

static const struct {
    int result;
    char letter;
    const char *meaning;
} marks[] = {
    {STATUS_UNSUPPORTED, 'U', "unsupported"},
    {STATUS_OUT_OF_MEMORY, 'M', "out of memory"},
    {STATUS_NOT_CONVERGED, 'K', "tolerance not met"},
    {STATUS_DIVERGED, 'D', "diverged"},
    {STATUS_SINGULAR, 'S', "singular"},
    {STATUS_NO_STABLE_POINT, 'P', "no stable point"},
    {STATUS_INTERNAL, 'I', "internal error"},
    {RESULT_EXPLODES, 'E', "exact answer explodes"},
    {RESULT_INACCURATE, 'A', "inaccurate: error above 1"},
    {RESULT_ELSEWHERE, 'F', "another fixed point than the sequential mode's"},
    {RESULT_WRONG, 'W', "wrong"},
    {RESULT_CRASHED, 'C', "crashed"},
    {RESULT_TIMED_OUT, 'T', "timed out"},
    {RESULT_TARGET_NOT_REACHED, 'N', "not reached"},
    {RESULT_UNTRAINED, 'L', "training failed or unfinished"},
    {RESULT_OK, '?', "not known"},
};

enum { N_MARKS = sizeof marks / sizeof marks[0] };

const char *mark_meaning(char letter)
{
    for (int i = 0; i < N_MARKS; i++)
        if (marks[i].letter == letter)
            return marks[i].meaning;
    return NULL;
}

int mark_rank(char letter)
{
    int rank = 0;
    while (rank < N_MARKS && marks[rank].letter != letter)
        rank++;
    return rank;
}

static char mark_letter(enum result result)
{
    for (int i = 0; i < N_MARKS; i++)
        if (marks[i].result == (int)result)
            return marks[i].letter;
    return '?';
}

void drawing_free(struct drawing *drawing)
{
    free(drawing->row);
    free(drawing->mark);
    memset(drawing, 0, sizeof *drawing);
}

/* Room for one more element; NULL when out of memory. */
static void *grown(void *array, size_t n, size_t *capacity, size_t size)
{
    if (n < *capacity)
        return array;
    size_t wanted = *capacity ? 2 * *capacity : 32;
    void *more = realloc(array, wanted * size);
    if (more)
        *capacity = wanted;
    return more;
}

struct row *drawing_row(struct drawing *drawing)
{
    struct row *row = grown(drawing->row, drawing->n_rows, &drawing->row_capacity, sizeof *row);
    if (!row)
        return NULL;
    drawing->row = row;
    row += drawing->n_rows++;
    for (int c = 0; c < ROW_COLUMNS_MAX; c++)
        row->value[c] = NAN;
    row->label = NAN;
    return row;
}

bool drawing_mark(struct drawing *drawing, double x, enum result result)
{
    struct mark *mark = grown(drawing->mark, drawing->n_marks, &drawing->mark_capacity, sizeof *mark);
    if (!mark)
        return false;
    drawing->mark = mark;
    mark[drawing->n_marks++] = (struct mark){x, mark_letter(result)};
    return true;
}

static int mark_order(const void *left, const void *right)
{
    const struct mark *a = left, *b = right;
    if (isnan(a->x) != isnan(b->x))
        return isnan(b->x) - isnan(a->x);
    if (a->x < b->x || a->x > b->x)
        return a->x < b->x ? -1 : 1;
    return mark_rank(a->letter) - mark_rank(b->letter);
}

void drawing_settle_marks(struct drawing *drawing)
{
    size_t n = 0;
    if (drawing->n_marks > 0)
        qsort(drawing->mark, drawing->n_marks, sizeof *drawing->mark, mark_order);
    for (size_t i = 0; i < drawing->n_marks; i++)
        if (i == 0 || mark_order(&drawing->mark[i - 1], &drawing->mark[i]) != 0)
            drawing->mark[n++] = drawing->mark[i];
    drawing->n_marks = n;
}

double drawing_error(struct drawing *drawing, double error)
{
    if (error < ERROR_FLOOR)
        drawing->notes |= NOTE_FLOOR;
    return isnan(error) ? error : fmin(fmax(error, ERROR_FLOOR), ERROR_CEILING);
}
