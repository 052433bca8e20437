/* The table of the kinds of plot: what each shows, what a request may choose, and its axes. A new kind is one row in kinds.c;
 * one more function in rows.h if none draws what it shows; and a gnuplot script, listed in scripts.c, if none looks like it. */
#ifndef PLOTS_KINDS_H
#define PLOTS_KINDS_H

#include "plots/rows.h"

enum { KIND_LIST_MAX = 9 };

struct plot_axis {
    int field;
    const char *label; /* with its unit */
};

struct plot_kind {
    const char *name, *summary;
    const char *script;                /* that draws it, without its ending (scripts.c) */
    enum column_id y;                  /* what it shows, of the records of that column's measure */
    enum column_id beside;             /* and what it shows with it; 0: nothing */
    enum note own_bars;                /* what the column's own spread is, where it has one; 0: nothing that must be said */
    enum note level_note;              /* what is said of rows that do not depend on x */
    bool error;                        /* y is an error, which may be 0 */
    int only_with;                     /* and only of points that use this field */
    struct plot_axis x[KIND_LIST_MAX]; /* the fields that x may be, the default first; none where x is not a choice */
    int n_x;
    int series[KIND_LIST_MAX], n_series; /* one curve per combination of these, unless the request says otherwise */
    int panels[KIND_LIST_MAX], n_panels; /* of the fields that nobody names, only these make panels; none: all that vary */
    int along;                           /* field that varies along a curve although x is no choice; or -1 */
    int along_instead;                   /* what a request may name in its place; 0: nothing */
    bool along_is_x;                     /* it is what the x axis shows */
    const char *title, *x_label,
        *y_label;                  /* NULL x_label: that of the chosen field, which the title then names too; y_label: that of
                                              the column */
    const char *columns;           /* heads of the rows in the data file, separated by tabs */
    unsigned x_columns, y_columns; /* bit masks: which columns an axis must have room for */
    bool decades;                  /* whole decades on the x axis */
    bool letters_low;              /* points without a figure are letters at the lower edge, else at the upper one */
    bool share;                    /* y is a share: linear, from 0 to 1 */
    bool roofs;                    /* dots that nothing joins, below the limits of the machine */
    bool (*rows)(struct record *const *record, size_t n, int x, const struct plot_kind *kind, struct drawing *drawing);
};

int plot_kind_count(void);
const struct plot_kind *plot_kind_get(int kind);
/* Index by name, or -1. */
int plot_kind_find(const char *name);
/* True where a request may put this field on the x axis of this kind. */
bool plot_kind_takes_x(int kind, int field);
/* True where a request may say that this field varies along the curves of this kind. */
bool plot_kind_takes_along(int kind, int field);

#endif
