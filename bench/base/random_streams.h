/* The one table of random streams: every use of random numbers has a stream, or a range of streams, of its own. Two uses of one
 * stream would draw the same numbers from the same seed. A number is never changed: that would change the meaning of a seed. A
 * new use is one row. tests/base/test_random.c checks that the rows are disjoint, and looks for stream numbers elsewhere. */
#ifndef BENCH_BASE_RANDOM_STREAMS_H
#define BENCH_BASE_RANDOM_STREAMS_H

// clang-format off
/*  name              first        how many */
#define RANDOM_STREAMS(ROW)                                                                                                          \
    ROW(V,              1,           1)  /* drawn problems: v, */                                                                     \
    ROW(W,              2,           1)  /* W, */                                                                                     \
    ROW(H0,             3,           1)  /* h0, */                                                                                    \
    ROW(PLACE,          4,           1)  /* the one token of each sequence that has kappa, */                                         \
    ROW(WORDS,          6,           1)  /* words of a group, */                                                                      \
    ROW(LAMBDA,         16,          1)  /* lambda, */                                                                                \
    ROW(CHANNELS,       17,          1)  /* which channels are mixed, */                                                              \
    ROW(THETA,          1024,        256) /* theta: one stream an attempt */                                                          \
    ROW(SEQUENCE,       5,           1)  /* which sequence of a batch is validated */                                                 \
    ROW(LOSS,           7,           1)  /* the loss of a gradient: its derivative by h */                                            \
    ROW(DISTURBANCE,    32,          6)  /* of inputs, for a tolerance: v, lambda, theta, W, h0, s */                                 \
    ROW(DISTURBANCE_H,  38,          1)  /* likewise, of h */                                                                         \
    ROW(DISTURBANCE_MIX, 39,         1)  /* likewise, of what a mixer takes away */                                                   \
    ROW(DISTURBANCE_LOSS, 40,        1)  /* likewise, of the derivative of a loss */                                                  \
    ROW(DISTURBANCE_MORE, 41,        23) /* of inputs of other cells, by the number of the tensor */                                  \
    ROW(FRESH,          128,         32) /* tensors of the selective cell, by their number, */                                        \
    ROW(FRESH_STEP,     160,         1)  /* and the step of each channel */                                                           \
    ROW(ORDER,          64,          1)  /* of the points of a round */                                                               \
    ROW(BOOTSTRAP,      192,         1)  /* which pairs of a comparison are drawn again */                                            \
    ROW(TASKS,          'A',         26) /* examples of tasks: one letter a family */                                                 \
    ROW(TASKS_TRAINED,  0x80000041u, 26) /* likewise, for training: nothing trained on is in an evaluation */                         \
    ROW(GAMMA,          0x47000000u, 1)  /* lengths of iterations in training: a normal number, */                                    \
    ROW(GAMMA_ACCEPT,   0x47000001u, 1)  /* whether it is taken, */                                                                   \
    ROW(GAMMA_BOOST,    0x47000002u, 1)  /* and the power of a uniform one */                                                         \
    ROW(WEIGHTS,        0x57000000u, 65536) /* of models: one stream a parameter */
// clang-format on

#define STREAM_FIRST(name, first, n) STREAM_##name = (int)(first),
enum random_stream { RANDOM_STREAMS(STREAM_FIRST) };
#undef STREAM_FIRST

#endif
