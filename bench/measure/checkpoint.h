/* The checkpoint of a training: weights, moments of AdamW and the state of the training, as one safetensors file that is
 * replaced as a whole. It lets a training resume and others use it. It has a checksum and the key of its training: a bit that
 * changed, or a file from another folder, would go on to other weights in silence. */
#ifndef BENCH_MEASURE_CHECKPOINT_H
#define BENCH_MEASURE_CHECKPOINT_H

#include "bench/journal/record.h"
#include "bench/measure/curve.h"
#include "bench/sweep/point.h"

#include <limits.h>

/* Seconds that a training spent, beside the parts of its steps. */
enum spent { SPENT_CHECKS = PART_COUNT, SPENT_CHECKPOINTS, SPENT_ALL, SPENT_COUNT };
const char *spent_name(int spent);

/* The state of a training, beside its tensors. */
struct standing {
    struct training_state state;
    struct curve curve;
    double spent[SPENT_COUNT];
    double checked;     /* accuracy of the latest check; NaN before the first */
    int64_t sittings;   /* processes that worked on it */
    int64_t parameters; /* numbers in all weights */
    bool done;          /* there is nothing more to do, and this is what came of it: */
    enum result result;
    char message[256];
};

/* Replaces FOLDER/checkpoint.safetensors; it is on the disk when this returns true. point: the training's, for whoever finds the
 * file. */
bool checkpoint_write(const char *folder, const struct point *point, const struct training *training,
                      const struct standing *standing, struct error *error);

/* An open checkpoint. */
struct checkpoint;

enum checkpoint_found { CHECKPOINT_NONE, CHECKPOINT_THERE, CHECKPOINT_BAD };

/* Opens a file that may be missing; CHECKPOINT_BAD with the reason when it is not a checkpoint, or changed since it was written. */
enum checkpoint_found checkpoint_open(const char *path, struct checkpoint **checkpoint, struct error *error);

/* The one in the folder of a training; CHECKPOINT_BAD also when it is that of another training. */
enum checkpoint_found checkpoint_open_in(const char *folder, struct checkpoint **checkpoint, struct error *error);
void checkpoint_close(struct checkpoint *checkpoint); /* NULL is allowed */

/* Its state; the curve is only kept when `steps` of the recipe is what it was made for. */
bool checkpoint_standing(const struct checkpoint *checkpoint, int64_t steps, struct standing *standing, struct error *error);

/* The training's point; its texts belong to the checkpoint. */
bool checkpoint_point(const struct checkpoint *checkpoint, struct point *point, struct error *error);

/* Copies the tensors into a training of the same model, its moments too if asked for, whatever the dtypes. */
bool checkpoint_restore(const struct checkpoint *checkpoint, bool moments, struct training *training, struct error *error);

/* FOLDER/checkpoint.safetensors */
void checkpoint_file(const char *folder, char path[PATH_MAX]);

#endif
