/* The data of one curve in one panel: rows of its data file, marks at the edges for points without a value, notes. */
#ifndef PLOTS_DRAWING_H
#define PLOTS_DRAWING_H

#include "bench/journal/record.h"

enum { ROW_COLUMNS_MAX = 8 };

/* The notes that a picture needs, because of what was drawn; a bit mask. */
enum note {
    NOTE_RANGE = 1 << 0,         /* several seeds a point */
    NOTE_INTERVAL = 1 << 1,      /* bars are 95 % intervals of the median over rounds */
    NOTE_ROUNDS = 1 << 2,        /* bars are the range of the rounds: too few for an interval */
    NOTE_SINGLE = 1 << 3,        /* no bars: a single round */
    NOTE_FLOOR = 1 << 4,         /* an error below ERROR_FLOOR is drawn there */
    NOTE_MEASURED = 1 << 5,      /* a kappa that was measured, not asked for */
    NOTE_LEVEL = 1 << 6,         /* a row that does not depend on x */
    NOTE_LABELS = 1 << 7,        /* numbers beside points: iterations */
    NOTE_TOLERANCES = 1 << 15,   /* numbers beside points: tolerances */
    NOTE_ROOFS = 1 << 8,         /* lines are the limits of the machine */
    NOTE_WILSON = 1 << 10,       /* bars are 95 % intervals of a share */
    NOTE_CHANCE = 1 << 11,       /* a line is what guessing gets */
    NOTE_QUARTILES = 1 << 12,    /* bars are quartiles over sequences */
    NOTE_ONE_TRAINING = 1 << 14, /* no bars: a single training */
    NOTE_WITHOUT_X = 1 << 13,    /* a row that does not depend on x, though it may come from iterations */
    NOTE_NO_ROOFS = 1 << 9,      /* and where they are missing, nobody measured them */
    NOTE_EXPONENTIALS = 1 << 16, /* an exponential counts as operations that take as long */
    NOTE_UNCOUNTED = 1 << 17     /* there are some, and they count as nothing */
};

/* Zero has no place on a logarithmic axis. */
#define ERROR_FLOOR 1e-17

struct machine_limits;

struct row {
    double value[ROW_COLUMNS_MAX]; /* NaN where there is none; the first is NaN where the row holds at every x */
    double label;                  /* a number to write beside the point, or NaN */
};

/* A point without a value: a letter at the edge of the picture. */
struct mark {
    double x; /* NaN where it has no place along the axis */
    char letter;
};

struct drawing {
    struct row *row;
    size_t n_rows, row_capacity;
    struct mark *mark; /* each once after drawing_settle_marks() */
    size_t n_marks, mark_capacity;
    unsigned notes;
    const struct machine_limits *limits; /* that rows may ask for; NULL: not known */
};

void drawing_free(struct drawing *drawing);

/* A new row, NaN everywhere; NULL when out of memory. */
struct row *drawing_row(struct drawing *drawing);

/* Adds a mark for a result, "not known" for one that was ok. False when out of memory. */
bool drawing_mark(struct drawing *drawing, double x, enum result result);

/* Marks without a place, then from left to right, and at a place by their ranks; the same mark twice is one. */
void drawing_settle_marks(struct drawing *drawing);

/* An error as it can be drawn: within ERROR_FLOOR and a ceiling beyond which it says no more. NaN stays. */
double drawing_error(struct drawing *drawing, double error);

/* What a letter at the edge means, or NULL where it stands for nothing. */
const char *mark_meaning(char letter);

/* The order of letters at one place. */
int mark_rank(char letter);

#endif
