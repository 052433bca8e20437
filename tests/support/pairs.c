/* See pairs.h. */
#include "tests/support/pairs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct search {
    const struct factors *factors;
    bool met[PAIRS_FACTORS][PAIRS_VALUES][PAIRS_FACTORS][PAIRS_VALUES];
    int used[PAIRS_FACTORS][PAIRS_VALUES];
};

/* How many pairs of this value with those that are chosen already (>= 0) have not met. */
static int gain(const struct search *search, const int row[], int factor, int value)
{
    int n = 0;
    for (int other = 0; other < search->factors->n; other++)
        n += other != factor && row[other] >= 0 && !search->met[factor][value][other][row[other]];
    return n;
}

static int best_value(const struct search *search, const int row[], int factor)
{
    int best = 0;
    for (int value = 1; value < search->factors->values[factor]; value++) {
        int more = gain(search, row, factor, value) - gain(search, row, factor, best);
        if (more > 0 || (more == 0 && search->used[factor][value] < search->used[factor][best]))
            best = value;
    }
    return best;
}

/* Begins a row with the first pair that is missing; false where none is. */
static bool first_missing(const struct search *search, int row[])
{
    const struct factors *factors = search->factors;
    for (int a = 0; a < factors->n; a++)
        for (int b = a + 1; b < factors->n; b++)
            for (int x = 0; x < factors->values[a]; x++)
                for (int y = 0; y < factors->values[b]; y++)
                    if (!search->met[a][x][b][y]) {
                        row[a] = x;
                        row[b] = y;
                        return true;
                    }
    return false;
}

static void take(struct search *search, const int row[])
{
    for (int a = 0; a < search->factors->n; a++) {
        search->used[a][row[a]]++;
        for (int b = 0; b < search->factors->n; b++)
            search->met[a][row[a]][b][row[b]] = true;
    }
}

/* Lists are made before any test runs: no assertion can be made here. */
static int *new_row(struct rows *rows)
{
    if (rows->n == PAIRS_ROWS) {
        fprintf(stderr, "pairs.h: more than %d rows\n", PAIRS_ROWS);
        abort();
    }
    return rows->value[rows->n++];
}

void pairs_cover(const struct factors *factors, struct rows *rows)
{
    static struct search search;
    int row[PAIRS_FACTORS];
    search = (struct search){.factors = factors};
    rows->n = 0;
    for (memset(row, -1, sizeof row); first_missing(&search, row); memset(row, -1, sizeof row)) {
        for (int factor = 0; factor < factors->n; factor++)
            if (row[factor] < 0)
                row[factor] = best_value(&search, row, factor);
        take(&search, row);
        memcpy(new_row(rows), row, sizeof row);
    }
}

void pairs_product(const struct factors *factors, struct rows *rows)
{
    int row[PAIRS_FACTORS] = {0}, factor;
    rows->n = 0;
    do {
        memcpy(new_row(rows), row, sizeof row);
        for (factor = factors->n - 1; factor >= 0 && ++row[factor] == factors->values[factor]; factor--)
            row[factor] = 0;
    } while (factor >= 0);
}

bool pairs_full(void)
{
    return getenv("FULL") != NULL;
}
