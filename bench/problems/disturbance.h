/* What rounding can explain of an answer: how far it moves when the inputs move by about one rounding unit of the dtype. It is a
 * property of the problem and the dtype, not of whoever computes. */
#ifndef BENCH_PROBLEMS_DISTURBANCE_H
#define BENCH_PROBLEMS_DISTURBANCE_H

#include "bench/problems/inputs.h"
#include "bench/problems/textbook.h"

/* A tolerance: a number of rounding units of the dtype, times the relative change of the reference when every input changes by one
 * unit. The change is measured, with that many disturbances of the inputs of that size. */
double rounding_allowed(enum dtype dtype);
double rounding_disturbance(enum dtype dtype);
enum { ROUNDING_DISTURBANCES = 2 };

/* What element k of `n` is disturbed by, in units: a standard normal; where so few are drawn that all may be small, of size 1 or
 * more. */
double disturbance_draw(uint64_t seed, uint32_t stream, int64_t k, int64_t n);

/* The tensors of one sequence in float64, each element times 1 + size * (what is drawn for it). theta is also shifted by as much (a
 * raw value of 0 is not an exact value of its sigmoid), likewise a step before its softplus, and A by as much over the mean step of its
 * channel (of exp(-dt A) near 1 the rounding counts, however small dt A is); s is scaled likewise, but downwards. */
bool tensors_disturbed(const struct tensors *tensors, double size, uint64_t seed, struct tensors *disturbed, struct error *error);

/* Whether disturbed parameters do not show what rounding does to a mixer: of a product of several factors (I - Q) x is computed as
 * one difference, to within a unit of itself, and Q x may be far smaller. Then what a mixer takes away is disturbed as well: mixing
 * (T,d) is what it is multiplied with (textbook_iterate_rounded()). */
bool disturbance_of_mixing(const struct problem *problem);
void mixing_disturbed(const struct problem *problem, double size, double *mixing);

/* A token's state below this is next to nothing in the dtype: its smallest normal number over a unit of rounding. */
double rounding_tiny(enum dtype dtype);

/* Relative to what numbers are summed from, a sum below this is what their rounding leaves: a few units. */
double rounding_nothing(enum dtype dtype);

/* How far f(h) moves from next = f(h) when inputs and h (T,d) are disturbed in the dtype, over the disturbance. *equation: relative
 * to h, by the yardstick of the inputs; *residual: a token of it, relative to its own, as residuals are. Each may be NULL. False:
 * out of memory. */
bool disturbance_of_map(const struct tensors *sequence, enum dtype dtype, const double *h, const double *next, double *equation,
                        double *residual, struct error *error);

/* What answers of one sequence (in float64) are measured by that are next to nothing in the dtype: the largest of |v| and |h0|, or what
 * drives and precedes the answer in another cell. */
struct yardstick inputs_yardstick(const struct problem *problem, const struct inputs *inputs, enum dtype dtype);

/* How much of an answer h (T,d) of those inputs the rounding of v amounts to, with what gates keep of that of the tokens before. An
 * answer is v and what is added to it: where the two all but cancel, rounding of the sum shows in no disturbance of what it is
 * computed from. 0: h is next to nothing itself. Of other cells, whose answers are no such sum, that is next to nothing. */
double rounding_beside(const struct problem *problem, const struct inputs *inputs, enum dtype dtype, const double *h);

#endif
