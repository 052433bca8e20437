/* Which records share a panel, and which a curve: records are grouped by the fields that vary among them. Only seeds are
 * summarised: another field that varies and that the request does not name makes panels. */
#ifndef BENCH_REPORT_GROUPS_H
#define BENCH_REPORT_GROUPS_H

#include "bench/journal/records.h"
#include "bench/report/point_index.h"

enum { GROUP_LABEL_SIZE = 256 };

struct grouping {
    int field[FIELD_COUNT], n_fields;
    bool wide;                  /* a point belongs to every group whose other fields agree, where it does not use a field itself */
    const struct point **group; /* of each group one point */
    int n;
    struct point_index index; /* of these points */
};

/* Of each field whether it tells records apart, as field_varies() has it. */
struct varying {
    bool field[FIELD_COUNT];
};
struct varying varying_among(struct record *const *record, size_t n);

/* True when the records that use this field do not all agree in it. */
bool field_varies(struct record *const *record, size_t n, int field);

/* Groups records by those of the grouping's fields that vary (the others are dropped: a point without a field and those with its
 * only value stay together), in the order of the records. False when out of memory. */
bool grouping_make(struct record *const *record, size_t n, struct grouping *grouping);
void grouping_free(struct grouping *grouping);

/* Holds: belongs to the group. Owns: and to no other, because it uses every field that the group is told apart by. */
bool grouping_holds(const struct grouping *grouping, int group, const struct point *point);
bool grouping_owns(const struct grouping *grouping, int group, const struct point *point);

/* The group that owns a point; -1 where none does. */
int grouping_owner(const struct grouping *grouping, const struct point *point);

/* The fields that tell a group apart among records, those of a page: "mixer = householder, r = 4", or "no r" where it uses none of
 * them; empty where nothing does. */
void grouping_label(const struct grouping *grouping, int group, const struct varying *varying, size_t capacity,
                    char label[capacity]);

/* Appends "name = value" (an implementation: its name alone), after ", " where there is text already. */
void label_append(int field, const struct value *value, size_t capacity, char label[capacity]);

#endif
