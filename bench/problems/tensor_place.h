/* Where an element of a tensor is, in the words of the problem, for messages that a reader follows. All are counted from 0. */
#ifndef BENCH_PROBLEMS_TENSOR_PLACE_H
#define BENCH_PROBLEMS_TENSOR_PLACE_H

#include "impls/contract/support.h"

enum { TENSOR_PLACE_SIZE = 96, TENSOR_SHAPE_SIZE = 80 };

/* "sequence 3, t 17, channel 5" for element i of sequence b of a tensor. Of theta it is a parameter, of a matrix that belongs to no
 * sequence, a row and a column. */
void tensor_place(const struct problem *problem, enum tensor_id id, int64_t b, int64_t i, char text[TENSOR_PLACE_SIZE]);

/* The same of an output (B,T,d). */
void output_place(const struct problem *problem, int64_t b, int64_t i, char text[TENSOR_PLACE_SIZE]);

/* "(8,4096,256)". */
void tensor_shape_print(const struct problem *problem, enum tensor_id id, char text[TENSOR_SHAPE_SIZE]);

#endif
