/* The tensors of a pass: those that the problem needs are there, no others are, and none that is written shares memory with
 * another. Inputs may overlap: they are only read. A few comparisons of addresses, whatever the sizes, so that every pass can
 * afford them. */
#include "impls/contract/support.h"

#include <stdint.h>
#include <string.h>

enum { OUTPUTS = 2 };

const char *const tensor_names[TENSORS_MAX] = {"v", "lambda", "theta", "W", "h0"};

int tensor_shape(const struct problem *p, enum tensor_id id, int64_t shape[3])
{
    int64_t m = problem_m(p);
    const int64_t shapes[TENSORS_MAX][3] = {{p->B, p->T, p->d}, {p->B, p->T, p->d}, {p->B, p->T, m}, {m, p->d, 1}, {p->B, p->d, 1}};
    memcpy(shape, shapes[id], sizeof shapes[id]);
    return id < TENSOR_W ? 3 : 2;
}

int64_t tensor_elements(const struct problem *p, enum tensor_id id)
{
    int64_t shape[3];
    tensor_shape(p, id, shape);
    return id == TENSOR_W && p->feedback == FEEDBACK_NONE ? 0 : shape[0] * shape[1] * shape[2];
}

/* A stretch of memory; begin 0: none. */
struct stretch {
    const char *name;
    uintptr_t begin, end;
};

static struct stretch stretch_of(const struct problem *p, const char *name, const void *tensor, int64_t elements)
{
    uintptr_t begin = (uintptr_t)tensor;
    return (struct stretch){name, begin, begin + (begin != 0 ? (size_t)elements * dtype_size(p->dtype) : 0)};
}

static bool overlap(const struct stretch *a, const struct stretch *b)
{
    return a->begin < b->end && b->begin < a->end;
}

/* The inputs as stretches; what is missing, or is there although the problem has no such tensor, is refused. */
static struct status inputs_check(const struct problem *p, const struct inputs *inputs, struct stretch in[TENSORS_MAX])
{
    const void *const tensor[TENSORS_MAX] = {inputs->v, inputs->lambda, inputs->theta, inputs->W, inputs->h0};
    for (enum tensor_id id = TENSOR_V; id < TENSORS_MAX; id++) {
        int64_t elements = tensor_elements(p, id);
        if (tensor[id] == NULL && elements > 0 && id != TENSOR_H0)
            return status_at(STATUS_UNSUPPORTED, -1, -1, "the tensor %s is missing, which this problem needs", tensor_names[id]);
        if (tensor[id] != NULL && elements == 0)
            return status_at(STATUS_UNSUPPORTED, -1, -1, "the tensor %s is given, which this problem does not have",
                             tensor_names[id]);
        in[id] = stretch_of(p, tensor_names[id], tensor[id], elements);
    }
    return status_ok();
}

static void stretch_outputs(const struct problem *p, const struct outputs *outputs, const char *const name[OUTPUTS],
                            struct stretch out[OUTPUTS])
{
    out[0] = stretch_of(p, name[0], outputs->h, p->B * p->T * p->d);
    out[1] = stretch_of(p, name[1], outputs->final, p->B * p->d);
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
            return status_at(STATUS_UNSUPPORTED, -1, -1, "%s overlaps %s: what is written must have memory of its own",
                             written[i].name, other->name);
    }
    return status_ok();
}

struct status forward_check(const struct problem *problem, const struct inputs *inputs, const struct outputs *outputs)
{
    static const char *const out_names[OUTPUTS] = {"h", "final"};
    struct stretch in[TENSORS_MAX], out[OUTPUTS];
    struct status status = inputs_check(problem, inputs, in);
    if (status.code == STATUS_OK && outputs->h == NULL)
        status = status_at(STATUS_UNSUPPORTED, -1, -1, "there is no room for the output h");
    if (status.code != STATUS_OK)
        return status;
    stretch_outputs(problem, outputs, out_names, out);
    return apart(out, OUTPUTS, in, TENSORS_MAX);
}

struct status backward_check(const struct problem *problem, bool planned, const struct inputs *inputs,
                             const struct outputs *outputs, const struct outputs *grad_outputs, const struct gradients *gradients)
{
    static const char *const out_names[OUTPUTS] = {"h", "final"}, *const grad_names[OUTPUTS] = {"the derivative of h", "of final"},
                             *const gradient_names[TENSORS_MAX] = {"the gradient of v", "the gradient of lambda",
                                                                   "the gradient of theta", "the gradient of W",
                                                                   "the gradient of h0"};
    void *const tensor[TENSORS_MAX] = {gradients->v, gradients->lambda, gradients->theta, gradients->W, gradients->h0};
    struct stretch read[TENSORS_MAX + 2 * OUTPUTS], written[TENSORS_MAX];
    if (!planned)
        return status_at(STATUS_UNSUPPORTED, -1, -1, "the plan was made without a gradient");
    struct status status = inputs_check(problem, inputs, read);
    if (status.code == STATUS_OK && outputs->h == NULL)
        status = status_at(STATUS_UNSUPPORTED, -1, -1, "the output h is missing, at which the gradient is taken");
    for (enum tensor_id id = TENSOR_V; id < TENSORS_MAX && status.code == STATUS_OK; id++) {
        int64_t elements = tensor_elements(problem, id);
        if (tensor[id] != NULL && elements == 0)
            status = status_at(STATUS_UNSUPPORTED, -1, -1, "%s is asked for, which this problem does not have", gradient_names[id]);
        written[id] = stretch_of(problem, gradient_names[id], tensor[id], elements);
    }
    if (status.code != STATUS_OK)
        return status;
    stretch_outputs(problem, outputs, out_names, read + TENSORS_MAX);
    stretch_outputs(problem, grad_outputs, grad_names, read + TENSORS_MAX + OUTPUTS);
    return apart(written, TENSORS_MAX, read, TENSORS_MAX + 2 * OUTPUTS);
}
