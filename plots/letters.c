/* See letters.h. */
#include "plots/letters.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A mark of one of the curves of a panel. */
struct placed {
    double x;
    char letter;
    int series;
};

static int placed_order(const void *left, const void *right)
{
    const struct placed *a = left, *b = right;
    if (isnan(a->x) != isnan(b->x))
        return isnan(b->x) - isnan(a->x);
    if (a->x < b->x || a->x > b->x)
        return a->x < b->x ? -1 : 1;
    return a->series != b->series ? a->series - b->series : mark_rank(a->letter) - mark_rank(b->letter);
}

static bool same_place(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

/* The marks of a panel by their places, and there by their curves. */
static size_t sort_marks(const struct page *page, int panel, struct placed *placed)
{
    size_t n = 0;
    for (int s = 0; s < page->n_series; s++) {
        const struct drawing *drawing = page_drawing(page, panel, s);
        for (size_t m = 0; m < drawing->n_marks; m++)
            placed[n++] = (struct placed){drawing->mark[m].x, drawing->mark[m].letter, s};
    }
    if (n > 0)
        qsort(placed, n, sizeof *placed, placed_order);
    return n;
}

/* One letter for each mark at a place. */
static void put_each(const struct placed *placed, size_t n_placed, int panel, struct letters *letters, size_t *n)
{
    for (size_t i = 0; i < n_placed; i++) {
        struct letters one = {.panel = panel, .series = placed[i].series, .x = placed[i].x, .slot = (int)i};
        one.text[0] = placed[i].letter;
        letters[(*n)++] = one;
    }
}

/* Each distinct letter with its count, spread over the slots. */
static void put_counts(const struct placed *placed, size_t n_placed, int panel, struct letters *letters, size_t *n)
{
    char letter[32] = "";
    int count[32] = {0};
    for (size_t i = 0; i < n_placed; i++) {
        size_t known = strlen(letter);
        const char *at = strchr(letter, placed[i].letter);
        size_t which = at ? (size_t)(at - letter) : known;
        if (which + 1 >= sizeof letter)
            continue;
        letter[which] = placed[i].letter;
        count[which]++;
    }
    size_t distinct = strlen(letter), a_slot = (distinct + LETTERS_STACK_MAX - 1) / LETTERS_STACK_MAX;
    for (size_t i = 0; i < distinct; i++) {
        if (i % a_slot == 0)
            letters[(*n)++] = (struct letters){.panel = panel, .series = -1, .x = placed[0].x, .slot = (int)(i / a_slot)};
        char *text = letters[*n - 1].text;
        size_t used = strlen(text);
        snprintf(text + used, sizeof letters->text - used, "%s%d %c", used ? ", " : "", count[i], letter[i]);
    }
}

static void put_panel(const struct page *page, int panel, struct placed *placed, struct letters *letters, size_t *n)
{
    size_t n_placed = sort_marks(page, panel, placed), same;
    for (size_t i = 0; i < n_placed; i += same) {
        same = 1;
        while (i + same < n_placed && same_place(placed[i + same].x, placed[i].x))
            same++;
        (same <= LETTERS_STACK_MAX ? put_each : put_counts)(placed + i, same, panel, letters, n);
    }
}

struct letters *letters_make(const struct page *page, size_t *n, int *n_slots)
{
    size_t most = 1;
    for (int i = 0; i < page->n_panels * page->n_series; i++)
        most += page_drawing(page, i / page->n_series, i % page->n_series)->n_marks;
    struct letters *letters = calloc(most, sizeof *letters);
    struct placed *placed = calloc(most, sizeof *placed);
    *n = 0;
    *n_slots = 0;
    for (int p = 0; letters && placed && p < page->n_panels; p++)
        put_panel(page, p, placed, letters, n);
    bool done = placed != NULL;
    free(placed);
    if (!done) {
        free(letters);
        return NULL;
    }
    for (size_t k = 0; k < *n; k++)
        *n_slots = letters[k].slot >= *n_slots ? letters[k].slot + 1 : *n_slots;
    return letters;
}
