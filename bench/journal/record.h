/* A record: one journal line, what one round of one point left behind. This page is its schema.
 *
 *  {"version": 2, "key": "<32 hex: the first 16 say which point, the last 16 under which conditions, see point.h>",
 *   "round": from 0, "order": {"seed":, "place": of this point among all points of the round},
 *   "started": "2026-11-23T18:40:00Z", "machine": "<machine type>",
 *   "device": null, or of a point that a CUDA device computes {"name": null where there is none, "driver": version of CUDA or null,
 *       "proof": what implementations there have been run on so far},
 *   "build": "<of the implementation>", "harness": "<of the measuring code>",
 *   "limits": {"samples":, "time_s":, "memory_bytes": or null},
 *   "point": {every field by name, null where unused},
 *   "result": one of the result words, "message": "" or the reason in words, "place": null or {"b": 0, "t": 3},
 *   "inputs": null or {"rho":, "kappa":, "norm":, "max_h":, "equation_residual":}      measured on what was drawn; null = not known
 *   "convergence": null or {
 *       "l": [1, 2, ...],                          iterations kept (each up to 32, then about 5 % apart)
 *       "residual": [], "error_l2": [], "error_max": [],       same length; relative to the exact answer
 *       "bound_max": [] or null, "bound_token": [] or null,    the two valid bounds on error_max (paper, Sec. 3.2)
 *       "bounds_hold": true / false / null,
 *       "residual_to": {"1e-1": l or null, "1e-3":, "1e-6":}, "error_to": {the first kept l whose error_max is so small},
 *       "applications_to": {error_to, in applications},
 *       "rate": measured asymptotic rate or null, "applications": evaluations of f per token,
 *       "l_run":, "l_star": [per sequence, 0 = never],
 *       "sequences": how many the errors are over, "final": {"residual":, "error_l2":, "error_max":} of the outputs},
 *   "throughput": null or {
 *       "calls": calls a sample, "seconds": [per call, one a sample, raw],
 *       "median":, "q1":, "q3":, "low":, "high":   seconds a call; low..high: 95 % interval of the median, null if too few samples
 *       "variation": coefficient of variation of the samples, or null, "outliers": [indices into seconds],
 *       "tokens_per_s":, "bytes":, "operations":, "GB_per_s":, "GFLOP_per_s":,
 *       "set":                                     bytes of the smallest working set that the traffic can be served from
 *           nothing is counted of a backward pass: all of these but tokens_per_s are null then
 *       "error_iterate": relative max-norm distance to the textbook l-th iterate (exact implementations: to the exact answer),
 *           of a backward pass that of the gradient which comes nearest to its tolerance,
 *       "error_exact": the same to the exact answer, or null where that was not computed,
 *       "residual": of the returned iterate or null, "tolerance": what error_iterate was held to, "validated_against":,
 *       "validated_sequence":, "applications":, "l_run": (of the forward pass),
 *       "transfers": null, or of a device {"upload_s": of all inputs, "download_s": of all outputs, neither in the seconds above, which are
 *           those of the device's own clock, "caches": what is done with the device's between calls},
 *       "peak_bytes": tensors, and what plan and forward took beside them,
 *       "bound": null or {"GB_per_s":, "GFLOP_per_s":, "seconds":, "binds": "bytes" or "operations", "share": seconds / median}},
 *   "gradient": null or {
 *       "l_run": iterations of the forward pass, "v", "lambda", "theta", "W", "h0", "all" (null where there is no such input):
 *       {"cosine": with the exact gradient, "lack": 1 - cosine, also where that is tiny, "distance": |given - exact| / |exact|, "norm": |exact|}},
 *   "reach": null or {                             each sequence of the batch a problem of its own
 *       "problems":, "set_aside": whose exact answer exceeds the limit, "without_answer": singular and the like,
 *       "diverged": left something that is not finite, "most": applications that they had at most,
 *       "to": {"1e-1", "1e-3", "1e-6": applications a token until the true error is so small: {
 *           "median", "q1", "q3" of the problems that have an answer within the limit, null where that is one that never got there,
 *           "reached": how many did, "within": the share of those within T/4 applications, "each": [per problem, null: never]}},
 *       "floor": median over the problems of the smallest error that was seen,
 *       "tracked": null or share of tokens whose state tells the right word of a group (docs/reference/regimes.md)},
 *   "training": null or {
 *       "parameters":, "steps": done, "stage": of the curriculum, "length": of its examples,
 *       "loss":, "accuracy": of the last full row of the curve (nats; of tokens), "checked": accuracy of the last check on fresh
 *       examples or null, "ms_a_step": whole time over steps, "sittings": processes that worked on it, "folder": below trained/,
 *       "seconds": {"data":, "iterations": the recurrences' forward, "forward": the rest of it, "backward":, "optimiser":, "checks":,
 *           "checkpoints":, "all": with what is none of these},
 *       "curve": {"every": steps a row, "step": [of its last step], "length": [], "loss": [mean], "accuracy": [mean],
 *           "norm": [largest, of the gradient before clipping], "iterations": [mean of the median l*, or null],
 *           "checked": [or null], "seconds": [of the training until then]}},
 *   "accuracy": null or {
 *       "token", "sequence": {"right":, "of":, "share":, "low":, "high": Wilson's 95 % interval, "scaled", "scaled_low", "scaled_high":
 *           so that guessing is 0 (of sequences: the share itself)},
 *       "chance": share of tokens that guessing gets right, "loss": nats,
 *       "l_star": null without a tolerance, or {"of": sequences times blocks, "never": how many of them stayed above it, "least":,
 *           "q1":, "median":, "q3":, "most": null where that is one of those},
 *       "difference": only where there is something to compare with: {"of": sequences times blocks, "never": how many of these the
 *           one and the other left unconverged, together, "max", "l2": {"least":, "q1":, "median":, "q3":, "most":} over them of the
 *           distance of the states to those of `against`, relative to these; null where the states are not finite},
 *       "applications":, "parameters":, "steps": of the training, "training": its result, "seconds": of the evaluation;
 *       merged records (longest.h): "longest_token":, "longest_sequence":},
 *   "load": null or what else went on while it was timed {"others": processors that other processes kept busy, "steal": processors
 *       that the host took away, "switches": times this process was made to wait a second, "addition_s": [before, after] seconds of
 *       a dependent addition: one cycle, so that its inverse is the clock},
 *   "warnings": [{"code": a row of bench/journal/warning.c, "figure": number or null}],
 *   "process": {"wall_s":, "peak_bytes":, "signal": 0 or its number, "exit": its status, "start_s": until main() began,
 *       "inputs_s":, "plan_s":, "validation_s":, "timing_s": null where the worker could not say, "end_s": in which the
 *       system took memory back, its tensors' and, from its last word to its end, the rest, "harness_s": what this round took
 *       beyond all of these, from the record before to this one}}
 */
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
    RESULT_UNTRAINED, /* the training that the point depends on failed, or did not come to its end */
    RESULT_COUNT
};

const char *result_name(enum result result);
/* Words to result; RESULT_COUNT when unknown. */
enum result result_find(const char *name);
/* True for what must end a run with exit status 1: internal, out_of_memory, wrong, crashed, timed_out. */
bool result_failed(enum result result);

enum { RECORD_VERSION = 2 };

#endif
