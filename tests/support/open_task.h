/* A task that must open. */
#ifndef TESTS_SUPPORT_OPEN_TASK_H
#define TESTS_SUPPORT_OPEN_TASK_H

#include "tasks/task.h"

#include <check.h>

static inline struct task *open_task(const char *text)
{
    struct task *task;
    char reason[512] = "";
    ck_assert_msg(task_open(text, &task, sizeof reason, reason), "%s: %s", text, reason);
    return task;
}

#endif
