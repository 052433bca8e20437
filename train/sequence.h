/* Sequence mixers: the layer of a block that looks along time. One file each, one row in sequence.c. They stand behind one table of
 * functions, so that the model (train/model.c) knows none of them. x and y are (B,T,d_model), tokens of a sequence together. */
#ifndef TRAIN_SEQUENCE_H
#define TRAIN_SEQUENCE_H

#include "train/parameters.h"

/* What a layer is planned for. */
struct sequence_setup {
    const struct model_spec *model;
    const struct recurrence *recurrence;
    const struct environment *environment;
    const struct parameter *parameter; /* the layer's, in the order in which it declared them */
    int64_t B, T;                      /* T: the largest */
    bool gradient;                     /* backward() will be called */
    double (*clock)(void);             /* or NULL */
};

/* What the recurrence inside a layer computed in the last forward(). Everything points into the plan. */
struct recurrence_view {
    struct problem problem;
    struct inputs inputs;
    const struct trace *trace; /* with l; exact implementations leave it 0 */
    double seconds;            /* of its forward() */
};

struct sequence_plan; /* each layer's own */

/* What the model around the blocks of a layer is made of. */
struct surroundings {
    bool rms;         /* norms are RMSNorms, without a bias; else LayerNorms */
    bool tied;        /* the map to classes is the embedding of the tokens of the same number, without a bias */
    double embedding; /* deviation of its start values */
};

/* Of layers whose papers ask for no other. */
#define SURROUNDINGS_USUAL                                                                                                         \
    {                                                                                                                              \
        .embedding = 0.3                                                                                                           \
    }

enum { TAKES_MIXER = 1, TAKES_READOUT = 2, TAKES_CONVOLUTION = 4, TAKES_FEED_FORWARD = 8 }; /* bits of sequence_layer.takes */

struct sequence_layer {
    const char *name, *summary;
    bool recurrent; /* carries out struct recurrence ... */
    enum cell cell; /* ... of this cell */
    unsigned takes; /* what of the model it has a choice of: mixer and what belongs to it, readout, convolution and mixing, ... */
    struct surroundings around;

    /* False, with the reason in words, when the model or the recurrence makes no sense here. */
    bool (*check)(const struct sequence_setup *, size_t capacity, char reason[]);
    void (*declare)(const struct model_spec *, struct parameters *);
    struct status (*plan)(const struct sequence_setup *, struct sequence_plan **);
    /* From now on sequences have T positions, and the recurrence l_max iterations (0: as its settings say). Allocates only
     * inside the recurrence, and only when one of the two is new. */
    struct status (*resize)(struct sequence_plan *, int64_t T, int64_t l_max);
    struct status (*forward)(struct sequence_plan *, const void *x, void *y);
    /* dx, and the gradients of the parameters, of the last forward(), whose x is given again. */
    struct status (*backward)(struct sequence_plan *, const void *x, const void *dy, void *dx);
    void (*look)(struct sequence_plan *, struct recurrence_view *); /* NULL without a recurrence */
    void (*destroy)(struct sequence_plan *);                        /* NULL is allowed */
};

/* The table of all sequence mixers, in the order of sequence.c. Variants of one index differ in dtype and level only. */
int sequence_layer_count(void);
int sequence_layer_find(const char *name); /* index, or -1 */
const struct sequence_layer *sequence_layer_get(int index, enum dtype dtype, enum level level);

#endif
