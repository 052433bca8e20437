/* The tensors of a pass: those that the problem needs are there, no others are, and none that is written shares memory with another.
 * Inputs may overlap: they are only read. A few comparisons of addresses, whatever the sizes, so that every pass can afford them. */
#include "impls/contract/support.h"

#include <stdint.h>

enum { INPUTS = 5, OUTPUTS = 2 };

static const char *const names[INPUTS] = {"v", "lambda", "theta", "W", "h0"};

/* A stretch of memory; begin 0: none. */
struct stretch {
    const char *name;
    uintptr_t begin, end;
};

static void sizes_of(const struct problem *p, int64_t size[INPUTS])
{
    int64_t m = problem_m(p);
    size[0] = size[1] = p->B * p->T * p->d;
    size[2] = p->B * p->T * m;
    size[3] = p->feedback != FEEDBACK_NONE ? m * p->d : 0;
    size[4] = p->B * p->d;
}

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
static struct status inputs_check(const struct problem *p, const struct inputs *inputs, struct stretch in[INPUTS])
{
    const void *const tensor[INPUTS] = {inputs->v, inputs->lambda, inputs->theta, inputs->W, inputs->h0};
    int64_t size[INPUTS];
    sizes_of(p, size);
    for (int i = 0; i < INPUTS; i++) {
        bool optional = i == 4;
        if (tensor[i] == NULL && size[i] > 0 && !optional)
            return status_at(STATUS_UNSUPPORTED, -1, -1, "the tensor %s is missing, which this problem needs", names[i]);
        if (tensor[i] != NULL && size[i] == 0)
            return status_at(STATUS_UNSUPPORTED, -1, -1, "the tensor %s is given, which this problem does not have", names[i]);
        in[i] = stretch_of(p, names[i], tensor[i], size[i]);
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
    struct stretch in[INPUTS], out[OUTPUTS];
    struct status status = inputs_check(problem, inputs, in);
    if (status.code == STATUS_OK && outputs->h == NULL)
        status = status_at(STATUS_UNSUPPORTED, -1, -1, "there is no room for the output h");
    if (status.code != STATUS_OK)
        return status;
    stretch_outputs(problem, outputs, out_names, out);
    return apart(out, OUTPUTS, in, INPUTS);
}

struct status backward_check(const struct problem *problem, bool planned, const struct inputs *inputs,
                             const struct outputs *outputs, const struct outputs *grad_outputs, const struct gradients *gradients)
{
    static const char *const out_names[OUTPUTS] = {"h", "final"}, *const grad_names[OUTPUTS] = {"the derivative of h", "of final"},
                             *const gradient_names[INPUTS] = {"the gradient of v", "the gradient of lambda",
                                                              "the gradient of theta", "the gradient of W", "the gradient of h0"};
    void *const tensor[INPUTS] = {gradients->v, gradients->lambda, gradients->theta, gradients->W, gradients->h0};
    struct stretch read[INPUTS + 2 * OUTPUTS], written[INPUTS];
    int64_t size[INPUTS];
    if (!planned)
        return status_at(STATUS_UNSUPPORTED, -1, -1, "the plan was made without a gradient");
    struct status status = inputs_check(problem, inputs, read);
    if (status.code == STATUS_OK && outputs->h == NULL)
        status = status_at(STATUS_UNSUPPORTED, -1, -1, "the output h is missing, at which the gradient is taken");
    sizes_of(problem, size);
    for (int i = 0; i < INPUTS && status.code == STATUS_OK; i++) {
        if (tensor[i] != NULL && size[i] == 0)
            status = status_at(STATUS_UNSUPPORTED, -1, -1, "%s is asked for, which this problem does not have", gradient_names[i]);
        written[i] = stretch_of(problem, gradient_names[i], tensor[i], size[i]);
    }
    if (status.code != STATUS_OK)
        return status;
    stretch_outputs(problem, outputs, out_names, read + INPUTS);
    stretch_outputs(problem, grad_outputs, grad_names, read + INPUTS + OUTPUTS);
    return apart(written, INPUTS, read, INPUTS + 2 * OUTPUTS);
}
