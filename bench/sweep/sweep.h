/* A sweep file, read and expanded: the points to measure, how to run them, what to draw (docs/reference/sweep-files.md). */
#ifndef BENCH_SWEEP_SWEEP_H
#define BENCH_SWEEP_SWEEP_H

#include "bench/base/pool.h"
#include "bench/base/yaml.h"
#include "bench/sweep/point.h"
#include "bench/sweep/sweep_run.h"
#include "bench/sweep/vocabulary.h"

enum { SWEEP_NAME_MAX = 64, PLOT_FIELDS_MAX = 6, SWEEP_PLOTS_MAX = 64, SWEEP_POINTS_UNASKED = 100000 };
#define SWEEP_ALONE ((size_t)-1)

/* Keeps a record when every listed field has one of the listed values. The same form serves skip: and a plot's where:. The value
 * "none" also means that the point does not use the field; an implementation without options means it with any. */
struct condition {
    int field;
    const struct value *value; /* ascending */
    int n_values;
    bool none; /* one of them is "none" */
};

struct filter {
    struct condition *condition;
    int n_conditions;
};

struct plot_request {
    char kind[SWEEP_NAME_MAX];             /* a row of plots/'s table of kinds */
    char name[SWEEP_NAME_MAX];             /* of the files; the kind when not given */
    int x;                                 /* field on the x axis where the kind lets one choose, else -1 */
    int along;                             /* field that varies along a curve where the kind lets one choose, else -1 */
    int series[PLOT_FIELDS_MAX], n_series; /* one curve per combination of these fields' values */
    int panel[PLOT_FIELDS_MAX], n_panel;   /* one panel per combination */
    struct filter where;
};

/* What the paper reports, and which figure of which points of this sweep stands beside it. */
struct claim {
    const char *figure, *says, *differs; /* "Fig. 1"; the paper's own words or numbers; what differs in how it is measured here */
    struct filter where;
    int here;  /* a row of quantity.h */
    int along; /* the field in which its exponent is wanted rather than itself; -1: none */
};

/* What a scale that is not in force says of one field. */
struct scale_row {
    const char *scale;
    int field;
    const struct value *value;
    int n_values;
};

struct sweep {
    char name[SWEEP_NAME_MAX];  /* with that of the scale: results of several scales do not share a folder */
    char scale[SWEEP_NAME_MAX]; /* the one of the file's scales: that was laid over it; empty: none */
    struct point *point;        /* distinct, in the order of the file */
    size_t n_points;
    size_t n_shared; /* combinations that were named more than once (by several grids, or by fields they do not use) */
    size_t n_skipped;
    bool kept; /* read by sweep_read_kept() */
    struct sweep_run run;
    const char *baseline; /* an implementation with its options, with which others are compared (baseline.h); NULL: none */
    size_t *partner;      /* of each point: the one it is compared with, or SWEEP_ALONE; NULL without a baseline */
    size_t n_compared;    /* how many have one */
    struct plot_request plot[SWEEP_PLOTS_MAX];
    int n_plots;
    struct claim *claim;
    int n_claims;
    struct scale_row *scaled; /* scale by scale */
    int n_scaled;
    struct yaml_source source; /* the file as it was read: a run keeps a copy */
    struct pool *memory;       /* texts, conditions, claims: freed by sweep_free */
};

/* Reads, checks and expands a file, at one of its scales: that which the file's own scale: names where the argument is NULL, and as it
 * is where that is not there either. Every failure is a sentence "FILE:LINE:COLUMN: what was wrong, what was expected". With many
 * false, more than SWEEP_POINTS_UNASKED points are refused with the count and the flag that allows them. */
bool sweep_read(const struct vocabulary *vocabulary, const char *path, const char *scale, bool many, struct sweep *sweep,
                struct error *error);

/* The same of the copy that a run has kept: nothing is measured by it any more, so that files of inputs may be elsewhere or gone. */
bool sweep_read_kept(const struct vocabulary *vocabulary, const char *path, const char *scale, struct sweep *sweep,
                     struct error *error);

void sweep_free(struct sweep *sweep);

bool filter_keeps(const struct filter *filter, const struct point *point);

#endif
