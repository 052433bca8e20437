/* See pass.h. */
#include "train/math/pass.h"

#include "train/math/adamw.h"
#include "train/math/feed_forward.h"
#include "train/math/operators.h"

#include "impls/contract/support.h"
#include "impls/math/vector.h"

#include <stdlib.h>

struct block {
    struct block_parameters p;
    struct sequence_plan *mixer;
    real *x;                                /* (B,T,d_model) what the block is given */
    real *normed;                           /* (B,T,d_model) */
    real *kept;                             /* (B,T,2) of the norm */
    struct feed_forward *feed_forward; /* NULL without one */
    real *mixed;                            /* (B,T,d_model) what that is given */
};

struct pass {
    int64_t B, T, D, vocabulary, classes, blocks; /* T: of the sequences at hand */
    int threads;
    const struct sequence_layer *layer;
    const struct parameter *embedding;
    struct final_parameters final;
    struct block *block; /* (blocks + 1); the last one is the final norm, without a mixer */
    real *logits, *dx, *d_normed;
    double *terms;
};

static void destroy(struct pass *pass)
{
    if (pass == NULL)
        return;
    for (int64_t k = 0; pass->block != NULL && k <= pass->blocks; k++) {
        struct block *block = &pass->block[k];
        pass->layer->destroy(block->mixer);
        free(block->x);
        free(block->normed);
        free(block->kept);
        free(block->mixed);
        feed_forward_close(block->feed_forward);
    }
    free(pass->block);
    free(pass->logits);
    free(pass->dx);
    free(pass->d_normed);
    free(pass->terms);
    free(pass);
}

static struct status plan_block(const struct pass_setup *setup, const struct pass *pass, int64_t k)
{
    struct block *block = &pass->block[k];
    int64_t N = setup->B * setup->T;
    block->x = memory_allocate(N * pass->D, sizeof(real));
    block->normed = memory_allocate(N * pass->D, sizeof(real));
    block->kept = memory_allocate(N * 2, sizeof(real));
    if (block->x == NULL || block->normed == NULL || block->kept == NULL)
        return status_no_memory();
    if (k == pass->blocks)
        return status_ok();
    block->p = model_block(setup->model, setup->parameters, k);
    if (block->p.feed_forward != NULL) {
        block->mixed = memory_allocate(N * pass->D, sizeof(real));
        struct status status = block->mixed == NULL
                                   ? status_no_memory()
                                   : feed_forward_open(setup->model, block->p.feed_forward, pass->layer->around.rms, pass->threads,
                                                       N, setup->gradient, &block->feed_forward);
        if (status.code != STATUS_OK)
            return status;
    }
    struct sequence_setup mixer = {.model = setup->model,
                                   .recurrence = setup->recurrence,
                                   .environment = setup->environment,
                                   .parameter = block->p.mixer,
                                   .B = setup->B,
                                   .T = setup->T,
                                   .gradient = setup->gradient,
                                   .clock = setup->clock};
    return pass->layer->plan(&mixer, &block->mixer);
}

static struct status plan(const struct pass_setup *setup, struct pass **out)
{
    const struct model_spec *model = setup->model;
    int64_t N = setup->B * setup->T;
    *out = NULL;
    struct pass *pass = calloc(1, sizeof *pass);
    if (pass == NULL)
        return status_no_memory();
    *pass = (struct pass){.B = setup->B, .T = setup->T, .D = model->d_model, .blocks = model->blocks};
    pass->vocabulary = setup->vocabulary, pass->classes = setup->classes;
    pass->threads = setup->environment->threads;
    pass->layer = sequence_layer_get(model->layer, model->dtype, level_best());
    pass->embedding = setup->parameters->item;
    pass->final = model_final(model, setup->parameters);
    pass->block = calloc((size_t)model->blocks + 1, sizeof *pass->block);
    pass->logits = memory_allocate(N * setup->classes, sizeof(real));
    pass->dx = memory_allocate(setup->gradient ? N * pass->D : 0, sizeof(real));
    pass->d_normed = memory_allocate(setup->gradient ? N * pass->D : 0, sizeof(real));
    pass->terms = memory_allocate(N, sizeof(double));
    if (!pass->block || !pass->logits || !pass->dx || !pass->d_normed || !pass->terms) {
        destroy(pass);
        return status_no_memory();
    }
    struct status status = status_ok();
    for (int64_t k = 0; status.code == STATUS_OK && k <= model->blocks; k++)
        status = plan_block(setup, pass, k);
    if (status.code != STATUS_OK) {
        destroy(pass);
        return status;
    }
    team_start(pass->threads);
    *out = pass;
    return status_ok();
}

static struct status resize(struct pass *pass, int64_t T, int64_t l_max)
{
    struct status status = status_ok();
    pass->T = T;
    for (int64_t k = 0; status.code == STATUS_OK && k < pass->blocks; k++)
        status = pass->layer->resize(pass->block[k].mixer, T, l_max);
    return status;
}

static real *value_of(const struct parameter *p)
{
    return p != NULL ? p->value : NULL;
}

static real *gradient_of(const struct parameter *p)
{
    return p != NULL ? p->gradient : NULL;
}

/* to = x + y, where y lies in `to` */
static void residual(const struct pass *pass, const real *x, real *to)
{
    int64_t size = pass->B * pass->T * pass->D;
#pragma omp parallel for simd num_threads(pass->threads) schedule(static)
    for (int64_t i = 0; i < size; i++)
        to[i] += x[i];
}

static struct status forward(struct pass *pass, const int32_t *token, const int32_t *target, int32_t *answer, double *loss)
{
    int64_t N = pass->B * pass->T, D = pass->D;
    embedding_forward(pass->threads, N, D, token, pass->embedding->value, pass->block[0].x);
    for (int64_t k = 0; k < pass->blocks; k++) {
        struct block *block = &pass->block[k];
        real *next = block->feed_forward != NULL ? block->mixed : block[1].x;
        norm_forward(pass->threads, N, D, block->x, value_of(block->p.gain), value_of(block->p.bias), block->kept, block->normed);
        struct status status = pass->layer->forward(block->mixer, block->normed, next);
        if (status.code != STATUS_OK)
            return status;
        residual(pass, block->x, next);
        if (block->feed_forward != NULL)
            feed_forward_forward(block->feed_forward, N, block->mixed, block[1].x);
    }
    if (target == NULL)
        return status_ok();
    const struct final_parameters *p = &pass->final;
    struct block *last = &pass->block[pass->blocks];
    norm_forward(pass->threads, N, D, last->x, value_of(p->gain), value_of(p->bias), last->kept, last->normed);
    linear_forward(pass->threads, N, D, pass->classes, last->normed, value_of(p->W), value_of(p->b), false, pass->logits);
    *loss = cross_entropy(pass->threads, N, pass->classes, pass->logits, target, answer, pass->terms);
    return status_ok();
}

static struct status backward(struct pass *pass, const int32_t *token)
{
    int64_t N = pass->B * pass->T, D = pass->D;
    int threads = pass->threads;
    const struct final_parameters *p = &pass->final;
    struct block *last = &pass->block[pass->blocks];
    bool tied = p->W == pass->embedding;
    linear_backward(threads, N, D, pass->classes, last->normed, value_of(p->W), pass->logits, false, pass->d_normed,
                    gradient_of(p->W), gradient_of(p->b));
    if (tied) /* tokens that are no class */
        memset(gradient_of(p->W) + pass->classes * D, 0, (size_t)((pass->vocabulary - pass->classes) * D) * sizeof(real));
    norm_backward(threads, N, D, last->x, value_of(p->gain), last->kept, pass->d_normed, false, pass->dx, gradient_of(p->gain),
                  gradient_of(p->bias));
    for (struct block *block = last; block-- > pass->block;) {
        if (block->feed_forward != NULL)
            feed_forward_backward(block->feed_forward, N, block->mixed, pass->dx);
        struct status status = pass->layer->backward(block->mixer, block->normed, pass->dx, pass->d_normed);
        if (status.code != STATUS_OK)
            return status;
        norm_backward(threads, N, D, block->x, value_of(block->p.gain), block->kept, pass->d_normed, true, pass->dx,
                      gradient_of(block->p.gain), gradient_of(block->p.bias));
    }
    embedding_backward(threads, N, D, pass->vocabulary, token, pass->dx, tied, pass->embedding->gradient);
    return status_ok();
}

static bool look(struct pass *pass, int64_t block, struct recurrence_view *view)
{
    if (pass->layer->look == NULL)
        return false;
    pass->layer->look(pass->block[block].mixer, view);
    return true;
}

const struct arithmetic VARIANT(arithmetic) = {
    .plan = plan,
    .resize = resize,
    .forward = forward,
    .backward = backward,
    .look = look,
    .destroy = destroy,
    .norm = gradient_norm,
    .update = adamw_update,
};
