/* See values.h. */
#include "bench/report/blocks/values.h"

#include <stdio.h>
#include <string.h>

void block_values(struct record *const *record, size_t n, int field, size_t capacity, char text[capacity])
{
    enum { SHOWN_MAX = 12 };
    const struct value *found[SHOWN_MAX];
    int n_found = 0;
    size_t used = 0;
    bool in_turn = true;
    text[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        const struct value *value = &record[i]->point.value[field];
        int at = n_found;
        if (value->kind == VALUE_NONE)
            continue;
        while (at > 0 && value_order(found[at - 1], value) > 0)
            at--;
        if ((at > 0 && value_order(found[at - 1], value) == 0) || n_found == SHOWN_MAX)
            continue;
        memmove(found + at + 1, found + at, (size_t)(n_found - at) * sizeof *found);
        found[at] = value;
        n_found++;
    }
    for (int i = 1; i < n_found; i++)
        in_turn = in_turn && value_number(found[i]) == value_number(found[i - 1]) + 1;
    for (int i = 0; i < n_found; i++) {
        char one[VALUE_TEXT_MAX];
        if (in_turn && n_found > 2 && i > 0 && i + 1 < n_found)
            continue;
        field_print(field, found[i], sizeof one, one);
        const char *before = i == 0 ? "" : in_turn && n_found > 2 ? " to " : ", ";
        int length = snprintf(text + used, capacity - used, "%s%s", before, one);
        used += used + (size_t)length < capacity ? (size_t)length : 0;
    }
}
