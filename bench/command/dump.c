/* See dump.h. */
#include "bench/command/dump.h"

#include "bench/base/fence.h"
#include "bench/base/files.h"
#include "bench/base/number.h"
#include "bench/base/shown.h"
#include "bench/base/safetensors_write.h"
#include "bench/base/text.h"
#include "bench/command/folder.h"
#include "bench/command/key_search.h"
#include "bench/machine/machine_threads.h"
#include "bench/measure/checkpoint.h"
#include "bench/problems/inputs.h"
#include "bench/sweep/recipe.h"

#include <inttypes.h>
#include <string.h>

static const int64_t SIZE_MAX_HERE = 65536; /* of each number */

static void take_key(const char *name, void *search)
{
    if (strlen(name) == KEY_SIZE - 1)
        key_search_takes(search, name);
}

/* The checkpoint of the training whose key begins with these digits. */
static bool find(const char *results, const char *digits, char path[PATH_MAX], struct error *error)
{
    char folder[PATH_MAX];
    struct key_search search;
    if (!key_search_begin(&search, digits, "training", KEY_SIZE - 1, "or the file of a checkpoint", error))
        return false;
    files_path(results, "trained", folder);
    struct error reason;
    if (!files_list(folder, take_key, &search, &reason))
        return fail(error, "cannot read folder %.300s: %.600s", folder, reason.text);
    if (!key_search_end(&search, folder, error))
        return false;
    size_t used = strlen(folder);
    if (snprintf(folder + used, sizeof folder - used, "/%s", search.found) >= (int)(sizeof folder - used))
        return fail(error, "%.900s...: the path is too long", folder);
    checkpoint_file(folder, path);
    return true;
}

static bool read_number(const char *text, const char *option, int64_t usual, int64_t least, int64_t *number, struct error *error)
{
    char quoted[QUOTED_SIZE];
    *number = usual;
    return text == NULL || (number_read_integer(text, number) && *number >= least && *number <= SIZE_MAX_HERE) ||
           fail(error, "%s is %s; expected a whole number from %" PRId64 " to %" PRId64, option, text_quote(text, quoted), least,
                SIZE_MAX_HERE);
}

static bool write_inputs(const char *path, const struct problem *p, const struct inputs *inputs, struct error *error)
{
    const struct tensors tensors = {.problem = *p, .inputs = *inputs};
    struct tensor tensor[TENSORS_MAX];
    return safetensors_write(path, tensor, tensors_list(&tensors, tensor), NULL, error);
}

static void print_problem(FILE *out, const char *path, const struct problem *p)
{
    char s[32];
    number_print_real(p->s, sizeof s, s);
    fputs("inputs: ", out);
    shown_line(out, path);
    fprintf(out, "\nproblem: {cell: %s, B: %" PRId64 ", T: %" PRId64 ", d: %" PRId64, cell_names[p->cell], p->B, p->T, p->d);
    const struct cell_facts *cell = &cell_facts[p->cell];
    if (cell->has_N)
        fprintf(out, ", N: %" PRId64, p->N);
    if (cell->has_norm)
        fprintf(out, ", reads: %s, norm: %s, gate: %s", reads_names[p->reads], norm_names[p->norm], gate_names[p->gate]);
    if (cell->has_heads)
        fprintf(out, ", heads: %" PRId64, p->heads);
    if (cell->has_steps)
        fprintf(out, ", forget: %s", forget_names[p->forget]);
    if (cell->mixers != MIXERS_NONE || cell->has_norm)
        fprintf(out, ", mixer: %s", mixer_names[p->mixer]);
    if (p->r > 0)
        fprintf(out, ", r: %" PRId64, p->r);
    if (p->s > 0)
        fprintf(out, ", s: %s", s);
    if (cell->has_form)
        fprintf(out, ", form: %s", form_names[p->form]);
    if (cell->mixers != MIXERS_NONE || cell->has_norm)
        fprintf(out, ", feedback: %s", feedback_names[p->feedback]);
    fprintf(out, ", dtype: %s}\n", dtype_names[p->dtype]);
}

static bool dump(FILE *out, const struct dump_request *request, const struct checkpoint *checkpoint, const struct point *point,
                 const struct task *task, struct error *error)
{
    struct model_spec model = point_model(point, point_train_dtype(point));
    struct recipe recipe = point_recipe(point);
    struct recurrence recurrence = point_train_recurrence(point);
    const struct environment environment = {.threads = machine_threads()};
    struct training *training = NULL;
    struct problem problem;
    struct inputs inputs;
    int64_t length, batch, block;
    if (!read_number(request->length, "--length", recipe.length, 1, &length, error) ||
        !read_number(request->batch, "--batch", 1, 1, &batch, error) ||
        !read_number(request->block, "--block", 0, 0, &block, error))
        return false;
    struct status status = training_open(&model, &recipe, &recurrence, task, &environment, NULL, &training);
    bool good = status.code == STATUS_OK || fail(error, "%s", status.message);
    good = good && checkpoint_restore(checkpoint, false, training, error);
    if (good) {
        char text[STATUS_SIZE];
        status = training_recurrence_inputs(training, block, length, batch, point_test_seed(point) + 1, &problem, &inputs);
        status_print(&status, text);
        good = status.code == STATUS_OK || fail(error, "%s", text);
    }
    good = good && write_inputs(request->file, &problem, &inputs, error);
    if (good)
        print_problem(out, request->file, &problem);
    training_close(training);
    return good;
}

bool dump_inputs(FILE *out, const struct dump_request *request, struct error *error)
{
    struct checkpoint *checkpoint = NULL;
    struct point point;
    struct task *task = NULL;
    char path[PATH_MAX];
    if (request->file == NULL)
        return fail(error, "dump: --out is missing; expected --out FILE");
    fence_set(request->results);
    bool is_file = files_is_there(request->training);
    if (is_file && snprintf(path, sizeof path, "%s", request->training) >= (int)sizeof path)
        return fail(error, "%.900s...: the path is too long", request->training);
    if (!is_file && !find(request->results, request->training, path, error))
        return false;
    bool good = checkpoint_open(path, &checkpoint, error) == CHECKPOINT_THERE && checkpoint_point(checkpoint, &point, error) &&
                point_task(&point, &task, error) && dump(out, request, checkpoint, &point, task, error);
    task_close(task);
    checkpoint_close(checkpoint);
    return good;
}
