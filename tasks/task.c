/* See task.h: what is the same for every family. */
#include "tasks/task.h"

#include "tasks/family.h"

#include <math.h>
#include <stdlib.h>

bool task_open(const char *text, struct task **task, size_t capacity, char reason[])
{
    const struct reason why = {capacity, reason};
    char name[TASK_NAME_MAX];
    struct task *opened = calloc(1, sizeof *opened);
    *task = NULL;
    if (opened == NULL)
        return task_refuse(&why, "out of memory");
    opened->facts.padding = opened->facts.uncounted = -1;
    bool read = spelling_read(text, opened, name, &why) && opened->family->open(opened, name, &why);
    if (read && spelling_print(opened, name, opened->facts.name)) {
        *task = opened;
        return true;
    }
    if (read)
        task_refuse(&why, "the name of this task is too long; at most %d characters", TASK_NAME_MAX - 1);
    task_close(opened);
    return false;
}

void task_close(struct task *task)
{
    if (task != NULL)
        free(task->own);
    free(task);
}

const struct task_facts *task_facts(const struct task *task)
{
    return &task->facts;
}

int64_t task_width(const struct task *task, int64_t length, bool training)
{
    bool inside = length >= task->facts.shortest && length <= task->facts.longest;
    return inside ? task->family->width(task, length, training) : 0;
}

void task_fill(const struct task *task, uint64_t seed, uint64_t index, int64_t length, bool training, int32_t *token,
               int32_t *target)
{
    uint32_t stream = (uint32_t)(training ? STREAM_TASKS_TRAINED : STREAM_TASKS) + (uint32_t)(task->family->letter - 'A');
    struct draws draws = draws_begin(seed, stream, index);
    task->family->fill(task, &draws, length, training, token, target);
}

/* ---- Scores -------------------------------------------------------------------------------------------------------------------- */

bool task_scored(const struct task *task, int32_t target)
{
    return target != TASK_UNSCORED && target != task->facts.uncounted;
}

void task_score(const struct task *task, int64_t T, const int32_t *target, const int32_t *answer, struct task_score *score)
{
    int64_t scored = 0, right = 0;
    for (int64_t t = 0; t < T; t++) {
        if (!task_scored(task, target[t]))
            continue;
        scored++;
        right += answer[t] == target[t];
    }
    score->positions += scored;
    score->positions_right += right;
    score->sequences += scored > 0;
    score->sequences_right += scored > 0 && right == scored;
}

static double share(int64_t right, int64_t n)
{
    return n > 0 ? (double)right / (double)n : NAN;
}

double task_accuracy(const struct task_score *score, enum score kind)
{
    return kind == SCORE_SEQUENCE ? share(score->sequences_right, score->sequences)
                                  : share(score->positions_right, score->positions);
}

double task_scaled(const struct task *task, double accuracy)
{
    return (accuracy - task->facts.chance) / (1 - task->facts.chance);
}

/* ---- Families ------------------------------------------------------------------------------------------------------------------ */

const char *task_family(int index)
{
    return family_get(index) != NULL ? family_get(index)->name : NULL;
}

const char *task_family_summary(int index)
{
    return family_get(index) != NULL ? family_get(index)->summary : NULL;
}

void task_family_options(int index, size_t capacity, char text[])
{
    spelling_options(family_get(index)->options, capacity, text);
}
