/* See schema.h. */
#include "bench/journal/schema.h"

#include "bench/sweep/field.h"
#include "bench/sweep/measures.h"

#include <math.h>
#include <string.h>

const struct column schema[COLUMN_COUNT] = {
#define COLUMN(id, ...) [COLUMN_##id] = {__VA_ARGS__},
#include "bench/journal/schema.def"
#undef COLUMN
};

enum column_id column_find(const char *name)
{
    int id = 0;
    while (id < COLUMN_COUNT && (schema[id].name == NULL || strcmp(schema[id].name, name) != 0))
        id++;
    return (enum column_id)id;
}

/* The name of the measure that a path begins with, or NULL. */
static const char *measure_of_path(const char *path)
{
    size_t length = strcspn(path, ".");
    const char *word;
    for (int i = 0; (word = measure_word(i)) != NULL; i++)
        if (strncmp(word, path, length) == 0 && word[length] == '\0')
            return word;
    return NULL;
}

const char *column_measure(enum column_id id)
{
    return schema[id].measure != NULL ? schema[id].measure : measure_of_path(schema[id].path);
}

const char *merge_meaning(enum merge merge)
{
    static const char *const meanings[MERGE_COUNT] = {
        [MERGE_ROUND] = "of the first round with the point's result",
        [MERGE_MEDIAN] = "median",
        [MERGE_LEAST] = "least",
        [MERGE_MOST] = "largest",
        [MERGE_Q1] = "lower quartile",
        [MERGE_Q3] = "upper quartile",
        [MERGE_LOW] = "95 % interval of the median, lower end (from 6 rounds on)",
        [MERGE_HIGH] = "95 % interval of the median, upper end (from 6 rounds on)",
        [MERGE_VARIATION] = "standard deviation over mean (from 2 rounds on)",
        [MERGE_LARGEST] = "largest",
        [MERGE_ANY] = "true if in any round",
        [MERGE_EVERY] = "true if in every round",
        [MERGE_RATE] = "at the median time",
        [MERGE_OWN] = "as described",
    };
    return meanings[merge];
}
