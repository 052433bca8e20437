/* Synthetic tasks: what to learn, as a pure function from (seed, index, length) to tokens and targets, the same bits on every machine
 * and for every number of threads or batches. One family of tasks a file, one row in registry.c. Nothing here prints, exits, reads
 * files or the environment. */
#ifndef TASKS_TASK_H
#define TASKS_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TASK_NAME_MAX = 64, TASK_UNSCORED = -1 };

/* What a reader of results calls the share of right answers. */
enum score { SCORE_TOKEN, SCORE_SEQUENCE, SCORE_COUNT };

/* A task with its options, such as "A5", "A4xZ5", "parity labels=all". */
struct task;

struct task_facts {
    char name[TASK_NAME_MAX];  /* canonical spelling, options that are not the default included */
    int vocabulary;            /* tokens are 0 .. vocabulary - 1 */
    int classes;               /* targets are 0 .. classes - 1 */
    int padding;               /* the token that fills positions after the end, or -1 when examples of a length have one width */
    int64_t shortest, longest; /* lengths that task_width() takes */
    double chance;             /* accuracy of guessing: scaled accuracy is (accuracy - chance) / (1 - chance) */
};

/* Reads a task as a sweep file spells it; static storage is never handed out. False, with the reason in words, and *task NULL. */
bool task_open(const char *text, struct task **task, size_t capacity, char reason[]);
void task_close(struct task *task);
const struct task_facts *task_facts(const struct task *task);

/* Positions that every example of this length occupies, T of the recurrence. 0: the length is out of range. */
int64_t task_width(const struct task *task, int64_t length);

/* Example `index` of the seed: token[T], and target[T] that is TASK_UNSCORED where nothing is asked. T = task_width(length). With
 * `training`, as examples are laid out for training where that differs (copying packs several into one row). */
void task_fill(const struct task *task, uint64_t seed, uint64_t index, int64_t length, bool training, int32_t *token,
               int32_t *target);

/* How many of the scored positions, and of the sequences, are right. An example without a scored position is no sequence. */
struct task_score {
    int64_t positions, positions_right, sequences, sequences_right;
};

/* Adds one example's answers (class of each position) to a score. counts[T], if not NULL, gets 1 added where position t is right. */
void task_score(const struct task *task, int64_t T, const int32_t *target, const int32_t *answer, struct task_score *score);

/* The families that there are, for lists and messages: NULL past the last. */
const char *task_family(int index);         /* "group" */
const char *task_family_summary(int index); /* one line, with an example of how it is spelled */

#endif
