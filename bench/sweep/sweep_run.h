/* The part of the section run: that holds for the whole sweep: number of rounds and samples, and limits. */
#ifndef BENCH_SWEEP_SWEEP_RUN_H
#define BENCH_SWEEP_SWEEP_RUN_H

#include "bench/sweep/choice.h"
#include "bench/sweep/point.h"

enum { ROUNDS_MAX = 1000, ROUNDS_INTERVAL = 6 /* fewer rounds have no 95 % interval of their median */ };

struct sweep_run {
    int samples;              /* timed samples of a round */
    int rounds;               /* fresh processes that measure a point whose figures differ from process to process */
    double relative_interval; /* more rounds until the 95 % interval of a median is within so much of it either way; 0: no more */
    int at_most;              /* rounds then */
    double time_limit;        /* seconds that a round's process may take */
    double training_limit;    /* seconds that a training may take, over all runs that it goes on in */
    double checkpoint_every;  /* seconds between checkpoints of a training */
    size_t memory_limit;      /* bytes that it may hold; 0: nine tenths of what is free when it starts */
    int64_t order_seed;       /* of the order of points within each round */
    double margin;            /* of verdicts: ratios to the baseline within so much of 1, either way, are the same */
    bool uncalibrated;        /* the limits of the machine are not measured: no point has a bound */
};

/* The defaults. */
extern const struct sweep_run sweep_run_default;

/* The keys, for complaints about unknown ones; their number is returned. */
enum { SWEEP_RUN_KEYS = 10 };
extern const char *const sweep_run_keys[SWEEP_RUN_KEYS];

/* Seconds that a point may take: a training has a limit of its own. */
double sweep_run_limit(const struct sweep_run *run, const struct point *point);

/* Reads the value of one of the keys. */
bool sweep_run_read(const struct source *source, const struct node *node, struct sweep_run *run);

#endif
