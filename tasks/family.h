/* What a family of tasks gives to task.c, and what it gets: the inside of tasks/. A new family is one file with one of these tables,
 * and one row in registry.c. */
#ifndef TASKS_FAMILY_H
#define TASKS_FAMILY_H

#include "bench/base/random.h"
#include "tasks/task.h"

enum { TASK_OPTIONS_MAX = 4, TASK_WORDS_MAX = 2, TASK_QUOTED_SIZE = 40 };

/* An option that a task may be given: one of a few words, whose number is its value, the first the default; or a whole number. */
struct task_option {
    const char *name; /* NULL ends a list of options */
    const char *words[TASK_WORDS_MAX];
    int64_t least, most, normal; /* where there are no words; normal is the default: outside of the range it means "not given" */
};

/* Where the reason for a refusal goes. */
struct reason {
    size_t capacity;
    char *text;
};

/* Writes the reason and returns false, so that callers say: return task_refuse(reason, "..."). */
bool task_refuse(const struct reason *reason, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A user's text in double quotes for a message: cut where it is long, and nothing that a terminal might act on. Returns quoted. */
const char *task_quote(const char *text, char quoted[TASK_QUOTED_SIZE]);

struct family {
    const char *name, *summary;
    const char *spelled; /* for messages: "parity", "a group such as A5" */
    char letter;         /* A to Z: of its random numbers. Never to be changed, and no other family's */
    const struct task_option *options;
    bool (*named)(const char *name); /* whether a task of this name is its; NULL: only its own name is */

    /* Fills in the facts, but for the name, and task->own; the options are read by then. */
    bool (*open)(struct task *task, const char *name, const struct reason *reason);
    int64_t (*width)(const struct task *task, int64_t length, bool training);
    void (*fill)(const struct task *task, struct draws *draws, int64_t length, bool training, int32_t *token, int32_t *target);
};

struct task {
    const struct family *family;
    struct task_facts facts;
    int64_t option[TASK_OPTIONS_MAX]; /* values, in the order of family->options */
    void *own;                        /* what else a family keeps; released by free() */
};

/* The row of registry.c, or NULL past the last. */
const struct family *family_get(int index);

/* Finds family and name of a text and reads its options (spelling.c). */
bool spelling_read(const char *text, struct task *task, char name[TASK_NAME_MAX], const struct reason *reason);

/* Writes the canonical spelling; false where it does not fit. */
bool spelling_print(const struct task *task, const char *name, char text[TASK_NAME_MAX]);

/* "bos=no|yes modulus=2..100" */
void spelling_options(const struct task_option *options, size_t capacity, char text[]);

/* Uniform in from .. length; the length itself where that is below `from`. */
int64_t draw_length(struct draws *draws, int64_t from, int64_t length);

#endif
