/* How a round measures a point: the input and output of every measure. */
#ifndef BENCH_MEASURE_MEASURE_H
#define BENCH_MEASURE_MEASURE_H

#include "bench/journal/record.h"
#include "bench/sweep/measures.h"
#include "bench/sweep/point.h"

/* How the time of a round is spent inside its worker. Inputs and plan are set-up; validation and timing (of a convergence point:
 * the iterations) are the measurement; the end frees memory. */
enum stage { STAGE_INPUTS, STAGE_PLAN, STAGE_VALIDATION, STAGE_TIMING, STAGE_END, STAGE_COUNT };
extern const char *const stage_names[STAGE_COUNT];

/* The result of one round of a point. data: the object that the record holds under the name of the measure; inputs: what was
 * measured on the drawn problem; load: other load while it was timed; warnings: what follows from that (bench/journal/schema.def
 * has them all). Each may be NULL. */
struct finding {
    enum result result;
    char message[256];
    int64_t b, t; /* the place, or -1 */
    json_t *inputs, *data, *load, *warnings;
    double seconds[STAGE_COUNT];
    bool changed; /* after a failure: the file of inputs is not the one that the run began with; no record may be made of it */
};

/* The limits of a round. */
struct limits {
    int samples;             /* timed samples wanted */
    int64_t round;           /* of the point, from 0: another sequence of the batch is validated in each */
    double time_limit;       /* seconds for the whole round; of a training: in all its rounds together */
    double checkpoint_every; /* seconds between checkpoints of a training */
    size_t memory_limit;     /* bytes for its process; 0: nine tenths of what is free */
    const char *results;     /* the results folder, as the fence is told (fence.h); NULL: nothing below one is opened */
    const char *cache;       /* folder for inputs that several rounds share; NULL: none */
    const char *digest;      /* that the file of inputs must have (bench/base/digest.h); NULL: any */
    const char *trained;     /* folder of the training that this point is or depends on; NULL where there is none */
    bool locked;             /* it belongs to this process: who started it holds the lock (trained.h) */
};

/* Every measure NAME of measures.h has a function NAME_run(), in the file of its name. data of the finding is the object that
 * the record has under that name (schema.def). False when the harness itself failed (out of memory, a file that does not fit):
 * the sentence becomes an internal result. Of an error that lies outside (a full disk) it ends the run instead: it is no result. */
#define MEASURE(name, of, repeats)                                                                                                 \
    bool name##_run(const struct point *point, const struct limits *limits, struct finding *finding, struct error *error);
MEASURES(MEASURE)
#undef MEASURE

/* Measures a point as its field measure says. False as above, and when there was no memory for the result. */
bool measure_run(const struct point *point, const struct limits *limits, struct finding *finding, struct error *error);

/* Sets result, message and place from a status; the message begins with the place, where there is one. */
void finding_status(struct finding *finding, const struct status *status);
void finding_status_when(struct finding *finding, const char *when, const struct status *status); /* ... after these words */
/* A finding that is ok becomes inaccurate where the error of its iterate, relative to the exact answer, is above 1. */
void finding_judge(struct finding *finding, double error);
/* Counts the seconds since *since as a stage's, and lets the next ones begin. */
void finding_lap(struct finding *finding, enum stage stage, double *since);
void finding_say(struct finding *finding, enum result result, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
