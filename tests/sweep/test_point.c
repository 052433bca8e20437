/* Points: what a point does not use does not count, points survive JSON, and keys tell apart what differs. */
#include "bench/journal/journal.h"
#include "bench/measure/measure.h"
#include "bench/sweep/check.h"
#include "bench/sweep/point.h"

#include "tests/support/scratch.h"

#include <sys/wait.h>
#include <unistd.h>

Suite *suite_point(void);

/* The defaults, with what has none. */
static const struct conditions conditions = {"machine", "libraries", 10};

static struct point usual(void)
{
    struct point point;
    for (int field = 0; field < FIELD_COUNT; field++) {
        const char *text = fields[field].default_text;
        text = field == FIELD_IMPLEMENTATION ? "fixed_point"
               : field == FIELD_MEASURE      ? "convergence"
               : field == FIELD_TASK         ? "A5"
               : field == FIELD_LAYER        ? "fp_rnn"
               : text                        ? text
                                             : "8";
        ck_assert(field_read(field, text, &point.value[field]));
    }
    return point;
}

static void set(struct point *point, int field, const char *text)
{
    ck_assert_msg(field_read(field, text, &point->value[field]), "%s: %s", fields[field].name, text);
}

/* Changes separated by commas: "kappa=0.9,mixer=none". */
static struct point changed(const char *changes)
{
    static char copies[16][200]; /* texts of points live on */
    static int next;
    char *copy = copies[next++ % 16], *rest, *change;
    struct point point = usual();
    snprintf(copy, sizeof copies[0], "%s", changes);
    for (change = strtok_r(copy, ",", &rest); change != NULL; change = strtok_r(NULL, ",", &rest)) {
        char *value = strchr(change, ':');
        ck_assert_ptr_nonnull(value);
        *value = '\0';
        set(&point, field_find_any(change), value + 1);
    }
    return point;
}

/* Pairs of points that mean the same, or do not. */
static const struct {
    const char *a, *b;
    bool same;
} pairs[] = {
    {"mixer:none,r:1", "mixer:none,r:4", true},
    {"mixer:none,s:1", "mixer:none,s:2", true},
    {"mixer:none,feedback:raw", "mixer:none", true},
    {"mixer:none,kappa:0.9", "mixer:none,kappa:free", true},
    {"mixer:kronecker,r:1", "mixer:kronecker,r:2", true},
    {"mixer:kronecker,s:1", "mixer:kronecker,s:2", false},
    {"mixer:kronecker,s:1", "mixer:kronecker_rows,s:1", false},
    {"mixer:dense,s:1", "mixer:dense,s:2", true},
    {"mixer:dense,feedback:raw", "mixer:dense,feedback:rms", false},
    {"mixer:dplr,r:1", "mixer:dplr,r:2", false},
    {"feedback:raw,kappa:0.9", "feedback:raw,kappa:0.5", true},
    {"feedback:none,kappa:0.9", "feedback:none,kappa:0.5", false},
    {"kappa:free,tokens:one", "kappa:free,tokens:all", true},
    {"kappa:0.9,tokens:one", "kappa:0.9,tokens:all", false},
    {"feedback:rms,kappa:0.9,tokens:one", "feedback:rms", true},
    {"impl:dense_sequential,l:4", "impl:dense_sequential,l:8", true},
    {"impl:dense_sequential,tolerance:0.1,damping:0.5,patience:3", "impl:dense_sequential", true},
    {"l:4", "l:8", false},
    {"quantile:0.5", "quantile:1", true},
    {"tolerance:0.1,quantile:0.5", "tolerance:0.1,quantile:1", false},
    {"damping_factor:0.5", "damping_factor:0.7", true},
    {"patience:3,damping_factor:0.5", "patience:3,damping_factor:0.7", false},
    {"inputs:x,seed:1,kappa:0.9,lambda_max:0.5,tokens:one,initial:drawn", "inputs:x,seed:2", true},
    {"inputs:x,limit:10", "inputs:x,limit:20", false},
    {"seed:1", "seed:2", false},
    {"isa:best", "isa:baseline", false},
    {"threads:all", "threads:1024", false},
    {"cell:delta,mixer:dplr,s:2,feedback:raw", "cell:delta,mixer:none", true}, /* it has no mixer, nor what the others choose */
    {"cell:delta,form:plain,kappa:0.9,lambda_max:0.5,reads:bc,norm:none,gate:inside", "cell:delta", true},
    {"cell:delta,r:2", "cell:delta,r:1", false},
    {"cell:delta,heads:2", "cell:delta,heads:4", false},
    {"cell:delta,forget:head", "cell:delta,forget:none", false},
    {"cell:delta,N:4", "cell:delta,N:8", false},
    {"cell:delta,scale:0.3", "cell:delta,scale:0.5", false},
    {"heads:2,forget:head", "heads:4,forget:none", true},
    {"cell:selective_heads,mixer:none,heads:2", "cell:selective_heads,mixer:none,heads:4", false},
    {"cell:selective_heads,mixer:none,norm:bc", "cell:selective_heads,mixer:none,norm:both", false},
    {"cell:selective_heads,mixer:none,gate:inside", "cell:selective_heads,mixer:none", false},
    {"cell:selective_heads,mixer:none,scale:0.3", "cell:selective_heads,mixer:none", false},
    {"cell:selective_heads,mixer:none,r:2,s:2,forget:head,form:plain,kappa:0.9,lambda_max:0.5", "cell:selective_heads,mixer:none",
     true},
    {"cell:selective,heads:2,forget:head", "cell:selective,heads:4", true},
    {"measure:training,cell:vector", "measure:training,cell:selective", true}, /* the layer's own */
    {"measure:training,N:16", "measure:training,N:8", true},
    {"measure:training,form:plain", "measure:training,form:normalised", false},
    {"measure:training,convolution:short", "measure:training,convolution:none", true},
    {"measure:training,layer:fp_mamba,N:16", "measure:training,layer:fp_mamba,N:8", false},
    {"measure:training,layer:fp_mamba,form:plain", "measure:training,layer:fp_mamba,form:normalised", true},
    {"measure:training,layer:fp_mamba,reads:bc", "measure:training,layer:fp_mamba", false},
    {"measure:training,layer:fp_mamba,norm:output", "measure:training,layer:fp_mamba", false},
    {"measure:training,layer:fp_mamba,convolution:short", "measure:training,layer:fp_mamba", false},
    {"measure:training,layer:fp_mamba,mixing:symmetric", "measure:training,layer:fp_mamba", true}, /* nothing to be mixed with */
    {"measure:training,layer:fp_mamba,feedback:raw,mixing:symmetric", "measure:training,layer:fp_mamba,feedback:raw", false},
    {"measure:training,layer:fp_mamba,readout:state", "measure:training,layer:fp_mamba", false},
    {"measure:training,layer:fp_mamba,gate:inside,readout:state", "measure:training,layer:fp_mamba,gate:inside", true},
    {"measure:training,layer:mamba,N:16", "measure:training,layer:mamba,N:8", false},
    {"measure:training,layer:mamba,mixer:none,reads:bc,norm:bc,gate:inside,convolution:short,readout:state",
     "measure:training,layer:mamba", true},
    {"measure:training,layer:delta,mixer:dplr,s:2,feedback:raw,mixing:symmetric,readout:state,form:plain,norm:none",
     "measure:training,layer:delta", true},
    {"measure:training,layer:delta,r:2", "measure:training,layer:delta", false},
    {"measure:training,layer:delta,heads:2", "measure:training,layer:delta", false},
    {"measure:training,layer:delta,N:8", "measure:training,layer:delta", false},
    {"measure:training,layer:delta,forget:head", "measure:training,layer:delta", false},
    {"measure:training,layer:delta,convolution:short", "measure:training,layer:delta", false},
    {"measure:training,layer:delta,eigenvalues:both", "measure:training,layer:delta", false},
    {"measure:training,layer:delta,output_gate:none", "measure:training,layer:delta", false},
    {"measure:training,layer:delta,feed_forward:gelu", "measure:training,layer:delta,feed_forward:swiglu", false},
    {"measure:training,layer:attention,feed_forward:gelu", "measure:training,layer:attention", false},
    {"measure:training,layer:attention,eigenvalues:both,output_gate:none", "measure:training,layer:attention", true},
    {"measure:training,layer:fp_mamba,eigenvalues:both,output_gate:none,feed_forward:gelu", "measure:training,layer:fp_mamba", true},
    {"measure:training,layer:lstm,feed_forward:gelu,forget:head,eigenvalues:both", "measure:training,layer:lstm", true},
};

START_TEST(unused_fields_do_not_count)
{
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct point a = changed(pairs[i].a), b = changed(pairs[i].b);
        bool baseline = strstr(pairs[i].b, "baseline") != NULL && level_best() == LEVEL_BASELINE;
        char key_a[KEY_SIZE], key_b[KEY_SIZE];
        point_canonical(&a);
        point_canonical(&b);
        point_key(&a, &conditions, key_a);
        point_key(&b, &conditions, key_b);
        ck_assert_msg(point_equal(&a, &b) == (pairs[i].same || baseline), "%s and %s", pairs[i].a, pairs[i].b);
        ck_assert_msg((strcmp(key_a, key_b) == 0) == (pairs[i].same || baseline), "%s and %s", pairs[i].a, pairs[i].b);
        point_canonical(&b); /* once is enough */
        ck_assert(point_equal(&a, &b) == (pairs[i].same || baseline));
    }
}
END_TEST

START_TEST(points_survive_json)
{
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        for (int canonical = 0; canonical < 2; canonical++) {
            struct point point = changed(pairs[i].a), again;
            struct error error;
            if (canonical)
                point_canonical(&point);
            json_t *json = point_to_json(&point);
            ck_assert_ptr_nonnull(json);
            char *text = json_dumps(json, JSON_COMPACT);
            json_t *parsed = json_loads(text, 0, NULL);
            ck_assert_msg(point_from_json(parsed, &again, &error), "%s", error.text);
            ck_assert_msg(point_equal(&point, &again), "%s", text);
            free(text);
            json_decref(parsed);
            json_decref(json);
        }
    }
}
END_TEST

START_TEST(json_is_readable)
{
    struct point point = changed("kappa:0.9,mixer:none");
    point_canonical(&point);
    json_t *json = point_to_json(&point);
    ck_assert_str_eq(json_string_value(json_object_get(json, "impl")), "fixed_point");
    ck_assert_int_eq(json_integer_value(json_object_get(json, "T")), 8);
    ck_assert_str_eq(json_string_value(json_object_get(json, "mixer")), "none");
    ck_assert_str_eq(json_string_value(json_object_get(json, "tolerance")), "none");
    ck_assert(json_is_null(json_object_get(json, "kappa")));
    ck_assert_double_eq(json_real_value(json_object_get(json, "lambda_max")), 0.999);
    ck_assert_uint_eq(json_object_size(json), FIELD_COUNT);
    json_decref(json);
}
END_TEST

START_TEST(bad_json_is_refused)
{
    static const struct {
        const char *field, *value, *message;
    } rows[] = {
        {"T", "0", "T of the point is missing or invalid; expected a whole number from 1 to 16777216"},
        {"T", "1.5", "T of the point is missing or invalid; expected a whole number from 1 to 16777216"},
        {"T", "[1]", "T of the point is missing or invalid; expected a whole number from 1 to 16777216"},
        {"T", NULL, "T of the point is missing or invalid; expected a whole number from 1 to 16777216"},
        {"mixer", "2",
         "mixer of the point is missing or invalid; expected one of none, dplr, householder, kronecker, dense, kronecker_rows"},
        {"form", "\"crooked\"", "form of the point is missing or invalid; expected normalised or plain"},
        {"T", "null", "T of the point is missing or invalid; expected a whole number from 1 to 16777216"},
        {"impl", "null", "impl of the point is missing or invalid; expected the name of an implementation, then its options"},
        {"impl", "\"fixed\\u001b[31m\"",
         "impl of the point is missing or invalid; expected the name of an implementation, then its options"},
        {"impl", "\"fixed\x7f\"",
         "impl of the point is missing or invalid; expected the name of an implementation, then its options"},
        {"inputs", "\"a\\u009b2J\"", "inputs of the point is missing or invalid; expected the name of a file, or none"},
        {"s", "true", "s of the point is missing or invalid; expected a number above 0, at most 4"},
    };
    struct point point = usual(), again;
    struct error error;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *json = point_to_json(&point);
        json_object_del(json, rows[i].field);
        if (rows[i].value != NULL)
            json_object_set_new(json, rows[i].field, json_loads(rows[i].value, JSON_DECODE_ANY, NULL));
        ck_assert(!point_from_json(json, &again, &error));
        ck_assert_str_eq(error.text, rows[i].message);
        json_decref(json);
    }
    ck_assert(!point_from_json(NULL, &again, &error));
}
END_TEST

/* A record of an implementation that has gone since can still be read, shown and drawn. */
START_TEST(unknown_implementations_are_kept)
{
    struct point point = usual(), again;
    struct error error;
    json_t *json = point_to_json(&point);
    json_object_set_new(json, "impl", json_string("long_gone memory=10"));
    ck_assert(point_from_json(json, &again, &error));
    ck_assert_str_eq(again.value[FIELD_IMPLEMENTATION].text, "long_gone memory=10");
    ck_assert_ptr_null(point_implementation(&again));
    ck_assert_int_eq(point_settings(&again).n_options, 0);
    json_decref(json);
}
END_TEST

/* Records are older than the field that says which pass was timed: there was but one. A null is no such record. */
START_TEST(an_old_record_is_of_the_forward_pass)
{
    struct point point = usual(), again;
    struct error error;
    set(&point, FIELD_MEASURE, "throughput");
    point_canonical(&point);
    json_t *json = point_to_json(&point);
    ck_assert_ptr_nonnull(json);
    ck_assert_str_eq(json_string_value(json_object_get(json, "pass")), "forward");
    ck_assert_int_eq(json_object_del(json, "pass"), 0);
    ck_assert_msg(point_from_json(json, &again, &error), "%s", error.text);
    ck_assert(point_equal(&point, &again));
    ck_assert_int_eq(json_object_set_new(json, "pass", json_null()), 0);
    ck_assert(!point_from_json(json, &again, &error));
    ck_assert_str_eq(error.text, "pass of the point is missing or invalid; expected forward or backward");
    json_decref(json);
}
END_TEST

/* No run writes "best", but a journal is a file like any other. */
START_TEST(the_best_level_is_one_of_this_machine)
{
    struct point point = usual();
    set(&point, FIELD_ISA, "best");
    ck_assert_int_eq(point_level(&point), level_best());
    ck_assert_ptr_eq(point_implementation(&point), registry_get(registry_find("fixed_point"), DTYPE_FLOAT32, level_best()));
}
END_TEST

/* Gradients belong to the backward pass alone, the pass to throughput. */
START_TEST(the_pass_decides_about_the_gradient)
{
    struct point point = usual();
    set(&point, FIELD_MEASURE, "throughput");
    set(&point, FIELD_PASS, "forward");
    set(&point, FIELD_GRADIENT, "steps");
    set(&point, FIELD_GRADIENT_STEPS, "3");
    point_canonical(&point);
    ck_assert_int_eq(point.value[FIELD_GRADIENT].kind, VALUE_NONE);
    ck_assert_int_eq(point.value[FIELD_GRADIENT_STEPS].kind, VALUE_NONE);
    ck_assert_int_eq(point_settings(&point).gradient, GRADIENT_NONE);
    set(&point, FIELD_PASS, "backward");
    set(&point, FIELD_GRADIENT, "steps");
    set(&point, FIELD_GRADIENT_STEPS, "3");
    point_canonical(&point);
    ck_assert_int_eq(point_settings(&point).gradient, GRADIENT_STEPS);
    ck_assert_int_eq(point_settings(&point).gradient_steps, 3);
    set(&point, FIELD_MEASURE, "convergence");
    point_canonical(&point);
    ck_assert_int_eq(point.value[FIELD_PASS].kind, VALUE_NONE);
    ck_assert_int_eq(point.value[FIELD_GRADIENT].kind, VALUE_NONE);
}
END_TEST

/* One change of every field. */
// clang-format off
static const char *const changes[FIELD_COUNT] = {
    [FIELD_IMPLEMENTATION] = "fixed_point split=time", [FIELD_MEASURE] = "throughput", [FIELD_PASS] = "backward",
    [FIELD_B] = "2", [FIELD_T] = "9", [FIELD_D] = "9",
    [FIELD_MIXER] = "dplr", [FIELD_R] = "2", [FIELD_S] = "2", [FIELD_FORM] = "plain", [FIELD_FEEDBACK] = "raw",
    [FIELD_FORGET] = "head", [FIELD_DTYPE] = "float64", [FIELD_INITIAL] = "drawn", [FIELD_WORDS] = "A5", [FIELD_KAPPA] = "0.9", [FIELD_TOKENS] = "one", [FIELD_LAMBDA_MAX] = "0.5",
    [FIELD_LIMIT] = "10", [FIELD_INPUTS] = "no such file", [FIELD_L] = "17", [FIELD_TOLERANCE] = "0.1", [FIELD_QUANTILE] = "0.5",
    [FIELD_DAMPING] = "0.5", [FIELD_DAMPING_FACTOR] = "0.5", [FIELD_PATIENCE] = "3", [FIELD_AGREEMENT] = "0.01", [FIELD_THREADS] = "1000",
    [FIELD_ISA] = "avx512", [FIELD_SEED] = "2",
    [FIELD_TASK] = "Z2", [FIELD_LAYER] = "lstm", [FIELD_D_MODEL] = "9", [FIELD_BLOCKS] = "2", [FIELD_HEADS] = "2",
    [FIELD_READOUT] = "state", [FIELD_CONVOLUTION] = "short", [FIELD_MIXING] = "symmetric",
    [FIELD_EIGENVALUES] = "both", [FIELD_OUTPUT_GATE] = "none", [FIELD_FEED_FORWARD] = "gelu", [FIELD_STEPS] = "9", [FIELD_BATCH] = "9", [FIELD_TRAIN_LENGTH] = "9", [FIELD_LEARNING_RATE] = "0.5",
    [FIELD_WARMUP] = "9", [FIELD_SCHEDULE] = "linear", [FIELD_WEIGHT_DECAY] = "0.5", [FIELD_GRAD_CLIP] = "none", [FIELD_CURRICULUM] = "lengths",
    [FIELD_CURRICULUM_ACCURACY] = "0.5", [FIELD_CURRICULUM_WINDOW] = "9", [FIELD_TARGET] = "0.5", [FIELD_CHECK_EVERY] = "9",
    [FIELD_CHECK_EXAMPLES] = "9", [FIELD_TRAIN_DTYPE] = "float64", [FIELD_TRAIN_IMPL] = "fixed_point", [FIELD_GRADIENT] = "steps",
    [FIELD_GRADIENT_STEPS] = "9", [FIELD_HANDS_ON] = "applied", [FIELD_TRAIN_L] = "9", [FIELD_TRAIN_TOLERANCE] = "0.5", [FIELD_TRAIN_QUANTILE] = "0.5",
    [FIELD_TRAIN_DAMPING] = "0.5", [FIELD_TRAIN_DAMPING_FACTOR] = "0.5", [FIELD_TRAIN_PATIENCE] = "3",
    [FIELD_GAMMA] = "4", [FIELD_TEST_LENGTH] = "9", [FIELD_EXAMPLES] = "9", [FIELD_TEST_BATCH] = "9",
    [FIELD_AGAINST] = "fixed_point", [FIELD_TRAIN_SEED] = "2", [FIELD_TEST_SEED] = "2",
};
// clang-format on

START_TEST(keys_tell_every_field_apart)
{
    char keys[FIELD_COUNT + 1][KEY_SIZE];
    struct point point = usual();
    point_key(&point, &conditions, keys[FIELD_COUNT]);
    ck_assert_uint_eq(strspn(keys[FIELD_COUNT], "0123456789abcdef"), KEY_SIZE - 1);
    for (int field = 0; field < FIELD_COUNT; field++) {
        struct point other = usual();
        if (changes[field] != NULL)
            set(&other, field, changes[field]);
        else
            other.value[field].kind = VALUE_NONE; /* a field of one word only */
        point_key(&other, &conditions, keys[field]);
        for (int earlier = 0; earlier < field; earlier++)
            ck_assert_msg(strcmp(keys[field], keys[earlier]) != 0, "%s and %s", fields[field].name, fields[earlier].name);
        ck_assert_msg(strcmp(keys[field], keys[FIELD_COUNT]) != 0, "%s", fields[field].name);
    }
}
END_TEST

/* The first half says which point, the second under which conditions; samples count where they are taken. */
START_TEST(keys_tell_conditions_apart)
{
    const struct conditions others[] = {
        {"another machine", "libraries", 10}, {"machine", "variables", 10}, {"machine", "libraries", 11}};
    struct point point = usual();
    char key[KEY_SIZE], other[KEY_SIZE];
    for (int measure = 0; measure_word(measure) != NULL; measure++) {
        set(&point, FIELD_MEASURE, measure_word(measure));
        point_key(&point, &conditions, key);
        for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
            bool same = i == 2 && !measures[measure].repeats;
            point_key(&point, &others[i], other);
            ck_assert_int_eq(strncmp(key, other, KEY_HALF), 0);
            ck_assert_msg((strcmp(key + KEY_HALF, other + KEY_HALF) == 0) == same, "%s %zu", measure_word(measure), i);
        }
    }
    set(&point, FIELD_MEASURE, "throughput");
    point_key(&point, &conditions, key);
    set(&point, FIELD_D, "9"); /* another point under the same conditions */
    point_key(&point, &conditions, other);
    ck_assert_int_ne(strncmp(key, other, KEY_HALF), 0);
    ck_assert_str_eq(key + KEY_HALF, other + KEY_HALF);
}
END_TEST

START_TEST(keys_hold_the_bytes_of_a_file)
{
    static const char *const names[] = {"one", "copy of one", "two"};
    static const char *const bytes[] = {"12345678", "12345678", "12345679"};
    char keys[3][KEY_SIZE], path[3][PATH_MAX];
    struct point point = usual();
    scratch_make();
    for (int i = 0; i < 3; i++) {
        snprintf(path[i], sizeof path[i], "%s/%s", scratch, names[i]);
        scratch_write(path[i], bytes[i], 8);
        set(&point, FIELD_INPUTS, path[i]);
        point_key(&point, &conditions, keys[i]);
    }
    ck_assert_str_eq(keys[0], keys[1]);
    ck_assert_str_ne(keys[0], keys[2]);
    scratch_remove();
}
END_TEST

/* The keys of a few points, written down once: a new field must not change them, nor may anything else but KEY_VERSION. */
START_TEST(keys_are_pinned)
{
    static const struct {
        const char *changes, *half;
    } rows[] = {
        {"threads:2,isa:baseline", "b11998e159d2b96c"},
        {"threads:2,isa:baseline,kappa:0.9,mixer:dplr,r:4,l:100,tolerance:1e-3", "e8e7b9c2032142ee"},
        {"threads:2,isa:baseline,measure:throughput,impl:diagonal_scan split=time,mixer:none", "fbd0bef8202d0a2a"},
        {"threads:2,isa:baseline,measure:throughput,pass:backward", "04c0884849af10d5"},
        {"threads:2,isa:baseline,mixer:dense,form:plain,d:5,words:A5", "32aa2f5873687cc1"},
        {"threads:2,isa:baseline,measure:training,learning_rate:0.01", "d5968ba37fd62945"},
        {"threads:2,isa:baseline,measure:accuracy,layer:lstm,test_length:64", "cf8ae947eb445e01"},
        {"threads:2,isa:baseline,measure:accuracy,layer:attention,heads:2,test_length:64", "b482ffa33923afe1"},
        {"threads:2,measure:training,layer:attention,d_model:16,heads:2,steps:10,train_length:8", "ef0581dcbf37ab38"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct point point = changed(rows[i].changes);
        char key[KEY_SIZE];
        point_canonical(&point);
        point_key(&point, &conditions, key);
        ck_assert_msg(strncmp(key, rows[i].half, KEY_HALF) == 0, "%s: %.16s", rows[i].changes, key);
    }
}
END_TEST

/* Records that are older than a field, or than its name, are read, and those that were one point are one point still. */
struct old {
    struct {
        char kept[KEY_HALF + 1], now[KEY_HALF + 1];
    } key[1000];
    size_t n, trained;
};

static bool old_record_is_the_same_point(json_t *record, void *context)
{
    struct old *old = context;
    struct point point;
    struct error error;
    char now[KEY_SIZE];
    const char *kept = json_string_value(json_object_get(record, "key"));
    ck_assert_ptr_nonnull(kept);
    ck_assert_msg(point_from_json(json_object_get(record, "point"), &point, &error), "%s", error.text);
    point_key(&point, &conditions, now);
    size_t i = 0;
    for (; i < old->n && strncmp(old->key[i].kept, kept, KEY_HALF) != 0; i++)
        ck_assert_msg(strncmp(old->key[i].now, now, KEY_HALF) != 0, "%.16s and %.16s are one point now", kept, old->key[i].kept);
    if (i < old->n) {
        ck_assert_msg(strncmp(old->key[i].now, now, KEY_HALF) == 0, "%.16s is several points now", kept);
        return true;
    }
    ck_assert_uint_lt(old->n, sizeof old->key / sizeof old->key[0]);
    snprintf(old->key[i].kept, KEY_HALF + 1, "%s", kept);
    snprintf(old->key[i].now, KEY_HALF + 1, "%s", now);
    old->n++;
    old->trained += point_is_trained(&point);
    return true;
}

START_TEST(the_points_of_the_reference_results_hold)
{
    static const char *const journals[] = {"results/reference/quick/journal.jsonl", "results/reference/a5-quick/journal.jsonl"};
    static struct old old;
    for (size_t i = 0; i < sizeof journals / sizeof journals[0]; i++) {
        struct error error;
        struct unread unread;
        ck_assert_msg(journal_read(journals[i], old_record_is_the_same_point, &old, &unread, &error), "%s", error.text);
    }
    ck_assert_uint_gt(old.trained, 0);
    ck_assert_uint_gt(old.n, old.trained);
}
END_TEST

/* Journals hold numbers to 9 digits: a point with a longer one must still come back as it was, under the key that it has. */
START_TEST(long_numbers_survive_a_journal)
{
    struct point point = changed("measure:convergence,kappa:0.12345678901234567"), again;
    char key[KEY_HALF + 1], key_again[KEY_HALF + 1];
    struct error error;
    json_t *json = point_to_json(&point);
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_t *read = json_loads(text, 0, NULL);
    ck_assert_msg(point_from_json(read, &again, &error), "%s", error.text);
    ck_assert(point_equal(&point, &again));
    point_identity(&point, key);
    point_identity(&again, key_again);
    ck_assert_str_eq(key, key_again);
    json_decref(read);
    json_decref(json);
    free(text);
}
END_TEST

START_TEST(former_names_are_read)
{
    struct point point = changed("measure:training,learning_rate:0.25,weight_decay:0.5,grad_clip:2,threads:2"), again;
    struct error error;
    point_canonical(&point);
    json_t *json = point_to_json(&point);
    ck_assert_ptr_nonnull(json);
    for (int field = 0; field < FIELD_COUNT; field++) {
        const char *former = fields[field].formerly, *name = fields[field].name;
        if (former == NULL)
            continue;
        ck_assert_int_eq(json_object_set(json, former, json_object_get(json, name)), 0);
        ck_assert_int_eq(json_object_del(json, name), 0);
    }
    ck_assert_double_eq(json_number_value(json_object_get(json, "rate")), 0.25);
    ck_assert_msg(point_from_json(json, &again, &error), "%s", error.text);
    ck_assert(point_equal(&point, &again));
    json_decref(json);
}
END_TEST

START_TEST(keys_are_the_same_in_every_process)
{
    char here[KEY_SIZE], there[KEY_SIZE] = "";
    int ends[2], status;
    struct point point = changed("impl:diagonal_scan split=time,kappa:0.9");
    point_key(&point, &conditions, here);
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) { /* the same point, made again */
        struct point again = changed("kappa:0.9,impl:diagonal_scan split=time");
        point_key(&again, &conditions, there);
        _exit(write(ends[1], there, KEY_SIZE) == KEY_SIZE ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(read(ends[0], there, KEY_SIZE), KEY_SIZE);
    ck_assert_str_eq(here, there);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

static bool is_problem(const struct problem *a, const struct problem *b)
{
    return a->cell == b->cell && a->B == b->B && a->T == b->T && a->d == b->d && a->N == b->N && a->heads == b->heads &&
           a->forget == b->forget && a->mixer == b->mixer && a->r == b->r && a->s == b->s && a->form == b->form &&
           a->feedback == b->feedback && a->dtype == b->dtype;
}

START_TEST(becomes_what_the_contract_wants)
{
    struct point point =
        changed("B:2,T:3,d:5,mixer:dplr,r:4,s:2,form:plain,feedback:rms,dtype:float64,l:7,tolerance:1e-3,quantile:0.5,"
                "damping:0.8,patience:15,threads:3,isa:baseline,impl:fixed_point split=batch");
    point_canonical(&point);
    struct problem problem = point_problem(&point), expected = {.B = 2,
                                                                .T = 3,
                                                                .d = 5,
                                                                .mixer = MIXER_DPLR,
                                                                .r = 4,
                                                                .s = 2,
                                                                .form = FORM_PLAIN,
                                                                .feedback = FEEDBACK_RMS,
                                                                .dtype = DTYPE_FLOAT64};
    ck_assert(is_problem(&problem, &expected));
    struct settings settings = point_settings(&point);
    ck_assert_int_eq(settings.l_max, 7);
    ck_assert_double_eq(settings.tolerance, 1e-3);
    ck_assert_double_eq(settings.quantile, 0.5);
    ck_assert_double_eq(settings.damping, 0.8);
    ck_assert_double_eq(settings.damping_factor, 0.9);
    ck_assert_int_eq(settings.patience, 15);
    ck_assert_int_eq(settings.n_options, 1);
    ck_assert_str_eq(settings_option(&settings, "split"), "batch");
    ck_assert_int_eq(point_threads(&point), 3);
    ck_assert_int_eq(point_level(&point), LEVEL_BASELINE);
    ck_assert_str_eq(point_implementation(&point)->name, "fixed_point");

    point = changed("mixer:none,impl:diagonal_scan");
    point_canonical(&point);
    problem = point_problem(&point);
    ck_assert(problem.r == 0 && problem.s == 0 && problem.feedback == FEEDBACK_NONE);
    ck_assert(problem.N == 0 && problem.heads == 0 && problem.forget == FORGET_NONE);
    settings = point_settings(&point);
    ck_assert(settings.tolerance == 0 && settings.quantile == 1 && settings.damping == 1 && settings.damping_factor == 1 &&
              settings.patience == 0);
}
END_TEST

START_TEST(becomes_a_cell_of_heads)
{
    struct point point = changed("cell:delta,B:2,T:3,d:12,N:5,heads:3,r:2,forget:head,impl:delta_sequential");
    point_canonical(&point);
    struct problem problem = point_problem(&point), expected = {.cell = CELL_DELTA,
                                                                .B = 2,
                                                                .T = 3,
                                                                .d = 12,
                                                                .N = 5,
                                                                .heads = 3,
                                                                .r = 2,
                                                                .forget = FORGET_HEAD,
                                                                .dtype = DTYPE_FLOAT32};
    ck_assert(is_problem(&problem, &expected));
    ck_assert_uint_ne(point_implementation(&point)->cells & CELLS_DELTA, 0);
}
END_TEST

START_TEST(nonsense_is_refused)
{
    enum section section;
    struct error error;
    struct point point = changed("B:65536,T:16777216,d:65536,mixer:none");
    point_canonical(&point);
    ck_assert(!point_check(&point, &section, &error));
    ck_assert_str_eq(error.text, "vector (65536,16777216,65536) none normalised float32: the tensor v has more than 2^40 elements");
    point = changed("B:1,T:1,d:20000,mixer:dense,feedback:raw");
    point_canonical(&point);
    ck_assert(!point_check(&point, &section, &error));
    ck_assert_str_eq(error.text,
                     "vector (1,1,20000) dense normalised feedback=raw float32: the tensor W has more than 2^40 elements");
    point = changed("B:1,T:1,d:20000,mixer:dense");
    point_canonical(&point);
    ck_assert(point_check(&point, &section, &error));
    point = changed("cell:delta,B:1,T:1,d:10,heads:4");
    point_canonical(&point);
    ck_assert(!point_check(&point, &section, &error));
    ck_assert_str_eq(error.text, "delta (1,1,10,N=16) r=1 heads=4 forget=none float32: heads = 4: must be between 1 and 1024, and "
                                 "divide d = 10");
    point = changed("cell:selective_heads,B:1,T:1,d:8,N:2,mixer:householder");
    point_canonical(&point);
    ck_assert(!point_check(&point, &section, &error));
    ck_assert_str_eq(error.text,
                     "selective_heads (1,1,8,N=2) householder r=1 s=1 heads=4 reads=none norm=both gate=outside float32: "
                     "mixer householder: the cell selective_heads has none of that kind");
    point = changed("cell:selective_heads,B:1,T:1,d:8,N:2,mixer:none,reads:bc");
    point_canonical(&point);
    ck_assert(!point_check(&point, &section, &error));
    ck_assert(strstr(error.text, "reads bc: the cell selective_heads has none of that kind") != NULL);
    point = changed("cell:selective_heads,B:1,T:1,d:8,N:2,mixer:none");
    point_canonical(&point);
    ck_assert(point_check(&point, &section, &error));
    point = changed("measure:training,layer:attention,d_model:9,heads:2");
    point_canonical(&point);
    ck_assert(!point_check(&point, &section, &error));
    ck_assert_str_eq(error.text, "d_model is 9; expected a multiple of the 2 heads");
    point = changed("measure:training,layer:delta,d_model:9,d:8,heads:2"); /* heads divide d there */
    point_canonical(&point);
    ck_assert_msg(point_check(&point, &section, &error), "%s", error.text);
}
END_TEST

START_TEST(labels)
{
    static const struct {
        const char *changes, *label;
    } rows[] = {
        {"B:4,T:256,d:32,kappa:0.9,l:100,threads:2", "fixed_point (4,256,32) householder r=1 kappa=0.9 l=100 threads=2"},
        {"mixer:none,impl:diagonal_scan split=time,threads:1", "diagonal_scan split=time (1,8,8) none threads=1"},
        {"mixer:kronecker,s:2,form:plain,feedback:raw,dtype:float64,tolerance:1e-3,threads:1",
         "fixed_point (1,8,8) kronecker s=2 form=plain feedback=raw dtype=float64 l=16 tolerance=0.001 threads=1"},
        {"cell:selective,N:4,reads:bc,gate:inside,scale:2.3,feedback:raw,threads:1",
         "fixed_point (1,8,8) householder r=1 N=4 reads=bc gate=inside scale=2.3 feedback=raw l=16 threads=1"},
        {"cell:delta,impl:delta_sequential,N:4,heads:2,threads:1", "delta_sequential (1,8,8) r=1 N=4 heads=2 threads=1"},
        {"cell:delta,impl:delta_sequential,r:3,heads:4,forget:head,threads:1",
         "delta_sequential (1,8,8) r=3 N=16 heads=4 forget=head threads=1"},
        {"measure:training,layer:attention,heads:2,train_seed:5", "training A5 attention d_model=128 heads=2 train_seed=5"},
    };
    char text[200], small[20];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct point point = changed(rows[i].changes);
        point_canonical(&point);
        point_label(&point, sizeof text, text);
        ck_assert_str_eq(text, rows[i].label);
        point_label(&point, sizeof small, small);
        ck_assert_uint_eq(strlen(small), sizeof small - 1);
    }
}
END_TEST

Suite *suite_point(void)
{
    Suite *suite = suite_create("point");
    TCase *tests = tcase_create("point");
    tcase_add_test(tests, unused_fields_do_not_count);
    tcase_add_test(tests, points_survive_json);
    tcase_add_test(tests, json_is_readable);
    tcase_add_test(tests, bad_json_is_refused);
    tcase_add_test(tests, unknown_implementations_are_kept);
    tcase_add_test(tests, an_old_record_is_of_the_forward_pass);
    tcase_add_test(tests, the_best_level_is_one_of_this_machine);
    tcase_add_test(tests, the_pass_decides_about_the_gradient);
    tcase_add_test(tests, keys_tell_every_field_apart);
    tcase_add_test(tests, keys_tell_conditions_apart);
    tcase_add_test(tests, keys_hold_the_bytes_of_a_file);
    tcase_add_test(tests, keys_are_pinned);
    tcase_add_test(tests, the_points_of_the_reference_results_hold);
    tcase_add_test(tests, long_numbers_survive_a_journal);
    tcase_add_test(tests, former_names_are_read);
    tcase_add_test(tests, keys_are_the_same_in_every_process);
    tcase_add_test(tests, becomes_what_the_contract_wants);
    tcase_add_test(tests, becomes_a_cell_of_heads);
    tcase_add_test(tests, nonsense_is_refused);
    tcase_add_test(tests, labels);
    suite_add_tcase(suite, tests);
    return suite;
}
