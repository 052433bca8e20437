/* See translate.h. */
#include "bench/sweep/translate.h"

#include "bench/sweep/measures.h"
#include "impls/contract/support.h"

#include <string.h>

bool point_is_trained(const struct point *point)
{
    return (measures[point->value[FIELD_MEASURE].integer].of & OF_TRAINED) != 0;
}

int64_t point_integer(const struct point *point, int field, int64_t otherwise)
{
    const struct value *value = &point->value[field];
    return value->kind == VALUE_INTEGER || value->kind == VALUE_WORD ? value->integer : otherwise;
}

double point_real(const struct point *point, int field, double otherwise)
{
    const struct value *value = &point->value[field];
    return value->kind == VALUE_REAL ? value->real : otherwise;
}

bool point_options(const struct point *point, int field, struct options *options)
{
    struct error ignored;
    const struct value *value = &point->value[field];
    return value->kind == VALUE_TEXT && options_read(value->text, options, &ignored);
}

struct problem point_problem(const struct point *point)
{
    return (struct problem){
        .cell = point_cell(point),
        .B = point_integer(point, FIELD_B, 1),
        .T = point_integer(point, FIELD_T, 1),
        .d = point_integer(point, FIELD_D, 1),
        .N = point_integer(point, FIELD_N, 0),
        .heads = cell_facts[point_cell(point)].has_heads ? point_integer(point, FIELD_HEADS, 1) : 0, /* attention has some, too */
        .mixer = (enum mixer)point_integer(point, FIELD_MIXER, MIXER_NONE),
        .r = point_integer(point, FIELD_R, 0),
        .s = point_real(point, FIELD_S, 0),
        .form = (enum form)point_integer(point, FIELD_FORM, FORM_NORMALISED),
        .feedback = (enum feedback)point_integer(point, FIELD_FEEDBACK, FEEDBACK_NONE),
        .reads = (enum reads)point_integer(point, FIELD_READS, READS_NONE),
        .norm = (enum norm)point_integer(point, FIELD_NORM, NORM_NONE),
        .gate = (enum gate)point_integer(point, FIELD_GATE, GATE_OUTSIDE),
        .forget = (enum forget)point_integer(point, FIELD_FORGET, FORGET_NONE),
        .dtype = (enum dtype)point_integer(point, FIELD_DTYPE, DTYPE_FLOAT32),
    };
}

struct regime point_regime(const struct point *point)
{
    const struct value *inputs = &point->value[FIELD_INPUTS];
    return (struct regime){
        .seed = (uint64_t)point_integer(point, FIELD_SEED, 0),
        .lambda_max = point_real(point, FIELD_LAMBDA_MAX, 0),
        .kappa = point_real(point, FIELD_KAPPA, 0),
        .one_token = point_integer(point, FIELD_TOKENS, TOKENS_ALL) == TOKENS_ONE,
        .words = point_integer(point, FIELD_WORDS, 0) != 0,
        .drawn_h0 = point_integer(point, FIELD_INITIAL, INITIAL_ZERO) == INITIAL_DRAWN,
        .scale = point_real(point, FIELD_SCALE, 0),
        .limit = point_real(point, FIELD_LIMIT, 0),
        .file = inputs->kind == VALUE_TEXT ? inputs->text : NULL,
    };
}

void point_gradient(const struct point *point, struct settings *settings)
{
    int64_t word = point_integer(point, FIELD_GRADIENT, GRADIENT_WORD_EXACT);
    settings->gradient = word == GRADIENT_WORD_STEPS ? GRADIENT_STEPS : GRADIENT_EXACT;
    settings->gradient_steps = point_integer(point, FIELD_GRADIENT_STEPS, 0);
}

struct settings point_settings(const struct point *point)
{
    struct settings settings = {
        .l_max = point_integer(point, FIELD_L, 0),
        .tolerance = point_real(point, FIELD_TOLERANCE, 0),
        .quantile = point_real(point, FIELD_QUANTILE, 1),
        .damping = point_real(point, FIELD_DAMPING, 1),
        .damping_factor = point_real(point, FIELD_DAMPING_FACTOR, 1),
        .patience = point_integer(point, FIELD_PATIENCE, 0),
        .gradient = GRADIENT_NONE,
    };
    if (!point_is_trained(point) && point->value[FIELD_GRADIENT].kind == VALUE_WORD)
        point_gradient(point, &settings);
    struct options options;
    if (point_options(point, FIELD_IMPLEMENTATION, &options)) {
        memcpy(settings.option, options.option, sizeof settings.option);
        settings.n_options = options.n;
    }
    return settings;
}

int point_threads(const struct point *point)
{
    return (int)point_integer(point, FIELD_THREADS, 1);
}

enum level point_level(const struct point *point)
{
    enum level level = (enum level)point_integer(point, FIELD_ISA, LEVEL_BASELINE);
    return level < LEVEL_COUNT ? level : level_best(); /* a journal may say "best", which no run writes */
}

const struct implementation *point_implementation(const struct point *point)
{
    struct options options;
    enum dtype dtype = (enum dtype)point_integer(point, FIELD_DTYPE, DTYPE_FLOAT32);
    return point_options(point, FIELD_IMPLEMENTATION, &options)
               ? registry_get_for(options.implementation, point_cell(point), dtype, point_level(point))
               : NULL;
}

bool point_on_device(const struct point *point)
{
    const struct implementation *implementation = point_implementation(point);
    return implementation != NULL && implementation->device == DEVICE_CUDA;
}
