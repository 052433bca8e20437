/* Finds points by the values of some of their fields, at the same cost whatever their number: a hash table. */
#ifndef BENCH_REPORT_POINT_INDEX_H
#define BENCH_REPORT_POINT_INDEX_H

#include "bench/sweep/point.h"

struct point_index {
    const int *field; /* the fields that count; the caller's */
    int n_fields;
    const struct point **point; /* those that differ in them, in the order in which they were added; the caller's */
    int n;
    int *slot; /* 1 + the number of a point, 0 where it is free */
    size_t n_slots;
};

/* An index with room for so many points. False when out of memory. */
bool point_index_make(struct point_index *index, const int *field, int n_fields, size_t capacity);
void point_index_free(struct point_index *index);

/* The number of the point that agrees in the fields; -1 where there is none. */
int point_index_find(const struct point_index *index, const struct point *point);

/* The same, after the point was added where there was none. */
int point_index_add(struct point_index *index, const struct point *point);

#endif
