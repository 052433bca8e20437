/* One round: a point measured in a new process, and its result as a record. */
#ifndef BENCH_COMMAND_ROUND_H
#define BENCH_COMMAND_ROUND_H

#include "bench/command/calibrate.h"
#include "bench/journal/record.h"
#include "bench/sweep/sweep.h"

#include <jansson.h>

/* Which half of which pair a round is (pairings.h). */
struct round_pair {
    int number;
    bool first;              /* the other half follows */
    const char *side, *with; /* a word; the key of the other half's point */
};

struct round_request {
    const struct point *point;
    const char *key;
    const struct sweep_run *run;
    const char *machine;              /* type */
    const char *program;              /* this program: it is started again as a worker */
    const char *log;                  /* file that takes what the worker says on its standard error */
    const char *results;              /* the results folder */
    const char *cache;                /* folder for inputs that rounds share, or NULL */
    const char *digest;               /* that the file of inputs must have, or NULL */
    const char *trained;              /* folder of the training that the point is or depends on, or NULL */
    bool locked;                      /* this process holds the lock of that training */
    void (*meanwhile)(void *context); /* called about once a second while it is measured; may be NULL */
    void *context;
    const struct calibration *calibration;
    int round;
    const struct round_pair *pair; /* or NULL */
    size_t place;                  /* in the round's order */
    double since;                  /* of the monotonic clock: when the record before was about to be written */
};

/* Measures, and returns the record, which the caller owns; NULL when the harness itself failed, or something
 * outside, such as a disk. *result: that of the record.
 * *changed: the file of inputs has another digest; there is no such record to keep. */
json_t *round_measure(const struct round_request *request, enum result *result, bool *changed, struct error *error);

/* The request for a worker; NULL when out of memory. */
char *round_worker_request(const struct round_request *request);

#endif
