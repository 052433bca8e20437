/* Synthetic tasks: what to learn, as a pure function from (seed, index, length) to tokens and targets, the same bits on every machine
 * and for every number of threads or batches. One family of tasks a file, one row in registry.c. Nothing here prints, exits, reads
 * files or the environment. docs/reference/tasks.md says what each family asks. */
#ifndef TASKS_TASK_H
#define TASKS_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TASK_NAME_MAX = 64, TASK_UNSCORED = -1 };

/* What a reader of results calls the share of right answers. */
enum score { SCORE_TOKEN, SCORE_SEQUENCE, SCORE_COUNT };

/* A task with its options, such as "A5", "A4xZ5", "parity labels=all". Never written to once it is open: threads may share it. */
struct task;

struct task_facts {
    char name[TASK_NAME_MAX];  /* canonical spelling: the name, then the options that are not the default */
    int vocabulary;            /* tokens are 0 .. vocabulary - 1 */
    int classes;               /* targets are 0 .. classes - 1 */
    int padding;               /* the token that fills positions after the end, or -1 when examples of a length have one width */
    int uncounted;             /* targets of this class train, but task_score() passes them over; -1: there is none */
    bool labelled;             /* every position has a target */
    int64_t shortest, longest; /* lengths that examples may have; training may take fewer */
    double chance;             /* share of the scored positions that guessing gets right */
};

/* Reads a task as a sweep file spells it: a name, then options NAME=VALUE, separated by blanks. False, with what is wrong and what was
 * expected in words, and *task NULL. */
bool task_open(const char *text, struct task **task, size_t capacity, char reason[]);
void task_close(struct task *task); /* NULL is allowed */
const struct task_facts *task_facts(const struct task *task);

/* Positions that every example of this length occupies, T of the recurrence; with `training`, as examples are laid out for training,
 * where that differs (copying packs several into one row, of one width for all lengths). 0: the length is out of range. */
int64_t task_width(const struct task *task, int64_t length, bool training);

/* Example `index` of the seed: token[T], and target[T] that is TASK_UNSCORED where nothing is asked. T = task_width(length, training),
 * which must not be 0. Examples with `training` are others than those without, also of the same seed. */
void task_fill(const struct task *task, uint64_t seed, uint64_t index, int64_t length, bool training, int32_t *token,
               int32_t *target);

/* How many of the scored positions, and of the sequences, are right: a sequence is when all of its scored positions are. An example
 * without a scored position is no sequence; a packed row is one. */
struct task_score {
    int64_t positions, positions_right, sequences, sequences_right;
};

/* Whether an answer to this target counts in a score. */
bool task_scored(const struct task *task, int32_t target);

/* Adds one example's answers (class of each position) to a score. */
void task_score(const struct task *task, int64_t T, const int32_t *target, const int32_t *answer, struct task_score *score);

/* The share in [0,1]; NaN where nothing was scored. */
double task_accuracy(const struct task_score *score, enum score kind);

/* (accuracy - chance) / (1 - chance): 0 for guessing, 1 for all right. Of token accuracies; chance is that of a single position. */
double task_scaled(const struct task *task, double accuracy);

/* The families that there are, for lists and messages: NULL past the last. */
const char *task_family(int index);         /* "group" */
const char *task_family_summary(int index); /* one line, with how it is spelled */

/* Its options as "bos=no|yes modulus=2..100", the default first where words are listed; "" where it has none. */
void task_family_options(int index, size_t capacity, char text[]);

#endif
