/* See head.h. */
#include "impls/delta/head.h"

struct delta_head delta_head(const struct problem *p, const struct inputs *inputs, int64_t b, int64_t head)
{
    const int64_t heads = p->heads, channels = p->d / heads, tokens = b * p->T, steps = tokens * p->r;
    return (struct delta_head){.problem = p,
                               .b = b,
                               .head = head,
                               .channels = channels,
                               .q = (const real *)inputs->q + (tokens * heads + head) * p->N,
                               .k = (const real *)inputs->k + (steps * heads + head) * p->N,
                               .v = (const real *)inputs->v + steps * p->d + head * channels,
                               .beta = (const real *)inputs->beta + steps * heads + head,
                               .g = inputs->g != NULL ? (const real *)inputs->g + tokens * heads + head : NULL,
                               .of_k = heads * p->N,
                               .of_v = p->d,
                               .of_heads = heads};
}

real delta_kept(const struct delta_head *head, int64_t t)
{
    return head->g != NULL ? real_exp(head->g[t * head->of_heads]) : 1;
}

int64_t delta_scratch(const struct problem *p)
{
    return 3 * delta_width(p);
}

void delta_walk(const struct delta_head *head, int64_t begin, int64_t end, real *S, real *y, const struct delta_kept_states *keep,
                real *scratch)
{
    const struct problem *p = head->problem;
    const int64_t N = p->N, r = p->r, width = delta_width(p), channels = head->channels, size = N * width;
    const real scale = 1 / real_sqrt((real)N);
    real *read = scratch, *drive = read + width, *out = drive + width, *from = S;
    memset(drive, 0, (size_t)width * sizeof(real)); /* what no channel fills stays 0 */
    delta_read(N, width, S, head->k + begin * r * head->of_k, read);
    for (int64_t t = begin; t < end; t++)
        for (int64_t j = 0; j < r; j++) {
            const int64_t i = t * r + j, kept_at = i - begin * r;
            const real kept = j == 0 ? delta_kept(head, t) : 1, beta = head->beta[i * head->of_heads];
            const real *v = head->v + i * head->of_v;
            const bool last = j == r - 1, more = i + 1 < end * r, answers = last && y != NULL;
            real *to = keep != NULL ? keep->states + kept_at * size : S;
            for (int64_t c = 0; c < channels; c++) {
                const real error = v[c] - kept * read[c];
                drive[c] = beta * error;
                if (keep != NULL)
                    keep->errors[kept_at * width + c] = error;
            }
            for (int64_t c = channels; c < width && keep != NULL; c++)
                keep->errors[kept_at * width + c] = 0;
            delta_step(N, width, kept, from, head->k + i * head->of_k, drive, to,
                       (struct delta_reading){more ? head->k + (i + 1) * head->of_k : NULL, read},
                       (struct delta_reading){answers ? head->q + t * head->of_k : NULL, out});
            from = to;
            if (!answers)
                continue;
            real *answer = y + (head->b * p->T + t) * p->d + head->head * channels;
            for (int64_t c = 0; c < channels; c++)
                answer[c] = scale * out[c];
        }
}
