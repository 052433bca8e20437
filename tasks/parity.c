/* Parity of a string of bits: asked for at its end, or of the bits so far at every position. */
#include "tasks/family.h"

enum { OPTION_LABELS };

static const struct task_option parity_options[] = {{.name = "labels", .words = {"end", "all"}}, {0}};

static bool open_parity(struct task *task, const char *name, const struct reason *reason)
{
    (void)name, (void)reason;
    task->facts.vocabulary = task->facts.classes = 2;
    task->facts.labelled = task->option[OPTION_LABELS];
    task->facts.shortest = 1;
    task->facts.longest = 1 << 20;
    task->facts.chance = 0.5;
    return true;
}

static int64_t width(const struct task *task, int64_t length, bool training)
{
    (void)task, (void)training;
    return length;
}

static void fill(const struct task *task, struct draws *draws, int64_t length, bool training, int32_t *token, int32_t *target)
{
    (void)training;
    for (int32_t t = 0, parity = 0; t < length; t++) {
        token[t] = (int32_t)draws_below(draws, 2);
        parity ^= token[t];
        target[t] = task->option[OPTION_LABELS] || t == length - 1 ? parity : TASK_UNSCORED;
    }
}

const struct family parity_family = {
    .name = "parity",
    .summary = "whether the number of ones in a string of bits is odd",
    .spelled = "parity",
    .letter = 'P',
    .options = parity_options,
    .open = open_parity,
    .width = width,
    .fill = fill,
};
