/* See letters.h. */
#include "plots/letters.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool same_place(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

/* One letter for each mark at a place. */
static void put_each(const struct page *page, int panel, double x, struct letters *letters, size_t *n)
{
    int slot = 0;
    for (int s = 0; s < page->n_series; s++) {
        const struct drawing *drawing = page_drawing(page, panel, s);
        for (size_t m = 0; m < drawing->n_marks; m++)
            if (same_place(drawing->mark[m].x, x)) {
                struct letters one = {.panel = panel, .series = s, .x = x, .slot = slot};
                slot++;
                one.text[0] = drawing->mark[m].letter;
                letters[(*n)++] = one;
            }
    }
}

/* Each distinct letter with its count, spread over the slots. */
static void put_counts(const struct page *page, int panel, double x, struct letters *letters, size_t *n)
{
    char letter[32] = "";
    int count[32] = {0};
    for (int s = 0; s < page->n_series; s++) {
        const struct drawing *drawing = page_drawing(page, panel, s);
        for (size_t m = 0; m < drawing->n_marks; m++) {
            if (!same_place(drawing->mark[m].x, x))
                continue;
            size_t known = strlen(letter);
            const char *at = strchr(letter, drawing->mark[m].letter);
            size_t which = at ? (size_t)(at - letter) : known;
            if (which + 1 >= sizeof letter)
                continue;
            letter[which] = drawing->mark[m].letter;
            count[which]++;
        }
    }
    size_t distinct = strlen(letter), a_slot = (distinct + LETTERS_STACK_MAX - 1) / LETTERS_STACK_MAX;
    for (size_t i = 0; i < distinct; i++) {
        if (i % a_slot == 0)
            letters[(*n)++] = (struct letters){.panel = panel, .series = -1, .x = x, .slot = (int)(i / a_slot)};
        char *text = letters[*n - 1].text;
        size_t used = strlen(text);
        snprintf(text + used, sizeof letters->text - used, "%s%d %c", used ? ", " : "", count[i], letter[i]);
    }
}

static size_t count_marks(const struct page *page, int panel, double x)
{
    size_t n = 0;
    for (int s = 0; s < page->n_series; s++) {
        const struct drawing *drawing = page_drawing(page, panel, s);
        for (size_t m = 0; m < drawing->n_marks; m++)
            n += same_place(drawing->mark[m].x, x);
    }
    return n;
}

struct letters *letters_make(const struct page *page, size_t *n, int *n_slots)
{
    size_t most = 1;
    for (int i = 0; i < page->n_panels * page->n_series; i++)
        most += page_drawing(page, i / page->n_series, i % page->n_series)->n_marks;
    struct letters *letters = calloc(most, sizeof *letters);
    *n = 0;
    *n_slots = 0;
    for (int i = 0; letters && i < page->n_panels * page->n_series; i++) {
        int panel = i / page->n_series;
        const struct drawing *drawing = page_drawing(page, panel, i % page->n_series);
        for (size_t m = 0; m < drawing->n_marks; m++) {
            double x = drawing->mark[m].x;
            bool done = false; /* by an earlier mark at this place */
            for (size_t k = 0; k < *n && !done; k++)
                done = letters[k].panel == panel && same_place(letters[k].x, x);
            if (done)
                continue;
            if (count_marks(page, panel, x) <= LETTERS_STACK_MAX)
                put_each(page, panel, x, letters, n);
            else
                put_counts(page, panel, x, letters, n);
        }
    }
    for (size_t k = 0; k < *n; k++)
        *n_slots = letters[k].slot >= *n_slots ? letters[k].slot + 1 : *n_slots;
    return letters;
}
