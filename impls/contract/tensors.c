/* The tensors of a pass: those that the problem needs are there, no others are, and none that is written shares memory with
 * another. Inputs may overlap: they are only read. A few comparisons of addresses, whatever the sizes, so that every pass can
 * afford them. */
#include "impls/contract/support.h"

#include <stdint.h>

enum { OUTPUTS = 2 };

/* A stretch of memory, and what it is called: "the gradient of " "v". begin 0: none. */
struct stretch {
    const char *kind, *name;
    uintptr_t begin, end;
};

static struct stretch stretch_of(const struct problem *p, const char *kind, const char *name, const void *tensor, int64_t elements)
{
    uintptr_t begin = (uintptr_t)tensor;
    return (struct stretch){kind, name, begin, begin + (begin != 0 ? (size_t)elements * dtype_size(p->dtype) : 0)};
}

static bool overlap(const struct stretch *a, const struct stretch *b)
{
    return a->begin < b->end && b->begin < a->end;
}

/* The inputs as stretches; what is missing, or is there although the problem has no such tensor, is refused. */
static struct status inputs_check(const struct problem *p, const struct inputs *inputs, struct stretch in[TENSORS_MAX])
{
    for (enum tensor_id id = 0; id < TENSORS_MAX; id++) {
        int64_t elements = tensor_elements(p, id);
        if (inputs->tensor[id] == NULL && elements > 0 && !tensor_row(p, id)->initial)
            return status_at(STATUS_UNSUPPORTED, -1, -1, "the tensor %s is missing, which this problem needs", tensor_names[id]);
        if (inputs->tensor[id] != NULL && elements == 0)
            return status_at(STATUS_UNSUPPORTED, -1, -1, "the tensor %s is given, which this problem does not have",
                             tensor_names[id]);
        in[id] = stretch_of(p, "", tensor_names[id], inputs->tensor[id], elements);
    }
    return status_ok();
}

static void stretch_outputs(const struct problem *p, const struct outputs *outputs, const char *kind, struct stretch out[OUTPUTS])
{
    out[0] = stretch_of(p, kind, cell_facts[p->cell].output, outputs->h, p->B * p->T * p->d);
    out[1] = stretch_of(p, kind, "final", outputs->final, final_elements(p));
}

/* Refused where one of those that are written shares memory with another, or with one that is read. */
static struct status apart(const struct stretch *written, int n_written, const struct stretch *read, int n_read)
{
    for (int i = 0; i < n_written; i++) {
        const struct stretch *other = NULL;
        for (int k = 0; k < n_read; k++)
            other = overlap(&written[i], &read[k]) ? &read[k] : other;
        for (int k = 0; k < i; k++)
            other = overlap(&written[i], &written[k]) ? &written[k] : other;
        if (other != NULL)
            return status_at(STATUS_UNSUPPORTED, -1, -1, "%s%s overlaps %s%s: what is written must have memory of its own",
                             written[i].kind, written[i].name, other->kind, other->name);
    }
    return status_ok();
}

struct status forward_check(const struct problem *problem, const struct inputs *inputs, const struct outputs *outputs)
{
    struct stretch in[TENSORS_MAX], out[OUTPUTS];
    struct status status = inputs_check(problem, inputs, in);
    if (status.code == STATUS_OK && outputs->h == NULL)
        status = status_at(STATUS_UNSUPPORTED, -1, -1, "there is no room for the output %s", cell_facts[problem->cell].output);
    if (status.code != STATUS_OK)
        return status;
    stretch_outputs(problem, outputs, "", out);
    return apart(out, OUTPUTS, in, TENSORS_MAX);
}

struct status backward_check(const struct problem *problem, bool planned, const struct inputs *inputs,
                             const struct outputs *outputs, const struct outputs *grad_outputs, const struct gradients *gradients)
{
    struct stretch read[TENSORS_MAX + 2 * OUTPUTS], written[TENSORS_MAX];
    if (!planned)
        return status_at(STATUS_UNSUPPORTED, -1, -1, "the plan was made without a gradient");
    struct status status = inputs_check(problem, inputs, read);
    if (status.code == STATUS_OK && outputs->h == NULL)
        status = status_at(STATUS_UNSUPPORTED, -1, -1, "the output %s is missing, at which the gradient is taken",
                           cell_facts[problem->cell].output);
    for (enum tensor_id id = 0; id < TENSORS_MAX && status.code == STATUS_OK; id++) {
        int64_t elements = tensor_elements(problem, id);
        if (gradients->tensor[id] != NULL && elements == 0)
            status = status_at(STATUS_UNSUPPORTED, -1, -1, "the gradient of %s is asked for, which this problem does not have",
                               tensor_names[id]);
        written[id] = stretch_of(problem, "the gradient of ", tensor_names[id], gradients->tensor[id], elements);
    }
    if (status.code != STATUS_OK)
        return status;
    stretch_outputs(problem, outputs, "", read + TENSORS_MAX);
    stretch_outputs(problem, grad_outputs, "the derivative of ", read + TENSORS_MAX + OUTPUTS);
    return apart(written, TENSORS_MAX, read, TENSORS_MAX + 2 * OUTPUTS);
}
