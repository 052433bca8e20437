/* See point_index.h. */
#include "bench/report/point_index.h"

#include <stdlib.h>

bool point_index_make(struct point_index *index, const int *field, int n_fields, size_t capacity)
{
    *index = (struct point_index){.field = field, .n_fields = n_fields, .n_slots = 16};
    while (index->n_slots < 2 * capacity)
        index->n_slots *= 2;
    index->point = calloc(capacity > 0 ? capacity : 1, sizeof(const struct point *));
    index->slot = calloc(index->n_slots, sizeof *index->slot);
    if (index->point != NULL && index->slot != NULL)
        return true;
    point_index_free(index);
    return false;
}

void point_index_free(struct point_index *index)
{
    free(index->point);
    free(index->slot);
    *index = (struct point_index){.n = 0};
}

static bool agree(const struct point_index *index, const struct point *a, const struct point *b)
{
    for (int i = 0; i < index->n_fields; i++)
        if (!value_equal(&a->value[index->field[i]], &b->value[index->field[i]]))
            return false;
    return true;
}

/* The slot of a point, or the free one where it would stand. */
static int *slot_of(const struct point_index *index, const struct point *point)
{
    uint64_t hash = 0;
    for (int i = 0; i < index->n_fields; i++)
        hash = value_hash(&point->value[index->field[i]], hash);
    size_t at = (size_t)hash & (index->n_slots - 1);
    while (index->slot[at] != 0 && !agree(index, index->point[index->slot[at] - 1], point))
        at = (at + 1) & (index->n_slots - 1);
    return &index->slot[at];
}

int point_index_find(const struct point_index *index, const struct point *point)
{
    return index->n > 0 ? *slot_of(index, point) - 1 : -1;
}

int point_index_add(struct point_index *index, const struct point *point)
{
    int *slot = slot_of(index, point);
    if (*slot == 0) {
        index->point[index->n++] = point;
        *slot = index->n;
    }
    return *slot - 1;
}
