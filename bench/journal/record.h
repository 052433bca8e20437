/* A record: one journal line, what one round of one point left behind. A JSON object of
 *
 *  - what identifies it: "version", "key", "round", "order", "started", "machine", "device", "build", "harness", "limits",
 *  - "point": every field of the sweep by its name, null where unused,
 *  - "result": one of the result words, "message": "" or the reason in words, "place": null or where it failed,
 *  - "inputs": what was measured on the problem that was drawn, or null,
 *  - one member a measure ("convergence", "throughput", ...): what that measure found, null for all but its own,
 *  - "load": what else went on while it was timed, or null, "warnings": what may be wrong with the figures,
 *  - "process": what the round took.
 *
 * bench/journal/schema.def has every value of these by its path, docs/columns.md shows them. */
#ifndef BENCH_JOURNAL_RECORD_H
#define BENCH_JOURNAL_RECORD_H

#include "impls/impl.h"

/* Statuses of an implementation, and what only the harness can see. */
enum result {
    RESULT_OK = STATUS_OK,          /* ... the statuses of impl.h, with the same numbers ... */
    RESULT_EXPLODES = STATUS_COUNT, /* max|h*| of the drawn problem exceeds the limit: says nothing about a solver */
    RESULT_WRONG,                   /* validation failed: no speed is reported */
    RESULT_CRASHED,
    RESULT_TIMED_OUT,
    RESULT_TARGET_NOT_REACHED,
    RESULT_UNTRAINED,  /* the training that the point depends on failed, or did not come to its end */
    RESULT_INACCURATE, /* of convergence and reach: the iterates are finite, and farther from the exact answer than 0 is */
    RESULT_ELSEWHERE,  /* of the selective cell: converged, to another fixed point than the sequential mode's */
    RESULT_COUNT
};

const char *result_name(enum result result);
/* Words to result; RESULT_COUNT when unknown. */
enum result result_find(const char *name);
/* True for what must end a run with exit status 1: internal, out_of_memory, wrong, crashed, timed_out. */
bool result_failed(enum result result);

/* The version of what is written, and the first one whose lines have a checksum and whose keys are held against their points: since
 * then whatever changes a key (KEY_VERSION of bench/sweep/key.c, the name of a field) is a new version, too. */
enum { RECORD_VERSION = 3, RECORD_CHECKED = 3 };

#endif
