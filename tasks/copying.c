/* Copying: "$ string | string .", predicted token by token (Jelassi et al. 2024). Only the copy and the final '.' are asked for, and
 * the '.' is not counted: character accuracy. For training, examples of 5 (option from) to n letters are packed into a context of one
 * width, and the last, where it does not fit, is there without targets. */
#include "tasks/family.h"

enum { LETTERS = 26, DOLLAR = LETTERS, BAR, POINT, STAR, VOCABULARY }; /* '*' pads in the literature; packed rows need none */
enum { OPTION_CONTEXT, OPTION_FROM };
enum { LONGEST = 1 << 20, CONTEXT_MOST = 1 << 21 };

static const struct task_option copying_options[] = {
    {.name = "context", .least = 8, .most = CONTEXT_MOST, .normal = 256},
    {.name = "from", .least = 1, .most = LONGEST, .normal = 5},
    {0},
};

static bool open_copying(struct task *task, const char *name, const struct reason *reason)
{
    (void)name, (void)reason;
    task->facts.vocabulary = task->facts.classes = VOCABULARY;
    task->facts.uncounted = POINT;
    task->facts.shortest = 1;
    task->facts.longest = LONGEST;
    task->facts.chance = 1.0 / LETTERS;
    return true;
}

static int64_t example_width(int64_t letters)
{
    return 2 * letters + 3;
}

/* A row for training holds at least one whole example, whatever is drawn. */
static int64_t width(const struct task *task, int64_t length, bool training)
{
    int64_t context = task->option[OPTION_CONTEXT], whole = example_width(length);
    return !training ? whole : whole <= context ? context : 0;
}

/* One example of so many letters, cut after T positions and without targets then. Returns the positions that it took. */
static int64_t put_example(struct draws *draws, int64_t letters, int64_t T, int32_t *token, int32_t *target)
{
    int64_t whole = example_width(letters), kept = whole < T ? whole : T, bar = letters + 1;
    for (int64_t t = 0; t < kept; t++) {
        if (t == 0 || t == bar || t == whole - 1)
            token[t] = t == 0 ? DOLLAR : t == bar ? BAR : POINT;
        else
            token[t] = t < bar ? (int32_t)draws_below(draws, LETTERS) : token[t - bar];
        target[t] = TASK_UNSCORED;
        if (whole <= T && t > bar)
            target[t - 1] = token[t];
    }
    return kept;
}

static void fill(const struct task *task, struct draws *draws, int64_t length, bool training, int32_t *token, int32_t *target)
{
    int64_t T = width(task, length, training), t = 0;
    while (t < T) {
        int64_t letters = training ? draw_length(draws, task->option[OPTION_FROM], length) : length;
        t += put_example(draws, letters, T - t, token + t, target + t);
    }
}

const struct family copying_family = {
    .name = "copying",
    .summary = "\"$ string | string .\": the letters after the bar, as those before it",
    .spelled = "copying",
    .letter = 'C',
    .options = copying_options,
    .open = open_copying,
    .width = width,
    .fill = fill,
};
