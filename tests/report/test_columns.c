/* The schema: names that programs can use, every value of the committed records in it, and docs/columns.md made from it. */
#include "bench/journal/schema.h"

#include "bench/journal/journal.h"
#include "bench/report/dictionary.h"
#include "bench/sweep/field.h"
#include "impls/contract/support.h"
#include "tests/support/scratch.h"

#include <ctype.h>
#include <glob.h>

Suite *suite_columns(void);

static bool is_snake_case(const char *name)
{
    bool good = isalpha((unsigned char)name[0]);
    for (const char *c = name; *c != '\0'; c++)
        good = good && (isalnum((unsigned char)*c) || *c == '_');
    return good;
}

START_TEST(rows_are_whole)
{
    for (int i = 0; i < COLUMN_COUNT; i++) {
        const struct column *column = &schema[i];
        ck_assert_msg(column->path != NULL && column->unit != NULL && column->description != NULL, "row %d", i);
        ck_assert_msg(column->name == NULL || is_snake_case(column->name), "%s", column->name);
        ck_assert_msg(column->name == NULL || field_find_any(column->name) < 0, "%s is a field, too", column->name);
        ck_assert_msg(strchr(column->description, '|') == NULL && column->description[strlen(column->description) - 1] != '.', "%s",
                      column->description);
        ck_assert_msg((column->spread != NULL) == (column->low != 0) && (column->low != 0) == (column->high != 0), "%s",
                      column->path);
        ck_assert_msg(column->head == NULL || column->head_measure != NULL || column_measure((enum column_id)i) != NULL, "%s",
                      column->head);
        for (int other = 0; other < i; other++) {
            ck_assert_str_ne(schema[other].path, column->path);
            ck_assert_msg(column->name == NULL || schema[other].name == NULL || strcmp(schema[other].name, column->name) != 0,
                          "%s twice", column->name);
        }
    }
}
END_TEST

START_TEST(columns_belong_to_measures)
{
    ck_assert_ptr_null(column_measure(COLUMN_MACHINE));
    ck_assert_ptr_null(column_measure(COLUMN_PROCESS_WALL));
    ck_assert_str_eq(column_measure(COLUMN_TIME_MEDIAN), "throughput");
    ck_assert_str_eq(column_measure(COLUMN_LOAD_OTHERS), "throughput");
    ck_assert_str_eq(column_measure(COLUMN_TRAINING_STEPS), "training");
}
END_TEST

/* Every tensor has the columns of its gradient, whichever cell it is of. */
START_TEST(gradients_of_all_tensors)
{
    static const char *const parts[][2] = {
        {"cosine", "cosine"}, {"lack", "one_minus_cosine"}, {"distance", "distance"}, {"norm", "norm"}};
    for (int tensor = 0; tensor < TENSORS_MAX; tensor++)
        for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
            char name[64], path[64];
            snprintf(name, sizeof name, "gradient_%s_%s", tensor_names[tensor], parts[i][1]);
            snprintf(path, sizeof path, "gradient.%s.%s", tensor_names[tensor], parts[i][0]);
            enum column_id id = column_find(name);
            ck_assert_msg(id < COLUMN_COUNT && strcmp(schema[id].path, path) == 0, "%s", name);
        }
}
END_TEST

/* ---- Records -------------------------------------------------------------------------------------------------------------- */

static bool is_in_schema(const char *path)
{
    for (int i = 0; i < COLUMN_COUNT; i++)
        if (strcmp(schema[i].path, path) == 0)
            return true;
    return false;
}

/* Counts the values below a path that no row has; null is no value. */
static int count_unknown(const char *path, json_t *value)
{
    const char *name;
    json_t *member;
    int unknown = 0;
    if (!json_is_object(value)) {
        bool known = json_is_null(value) || is_in_schema(path);
        if (!known)
            fprintf(stderr, "no row has %s\n", path);
        return !known;
    }
    json_object_foreach(value, name, member)
    {
        char below[256];
        snprintf(below, sizeof below, "%s%s%s", path, path[0] != '\0' ? "." : "", name);
        unknown += strcmp(below, "point") == 0 ? 0 : count_unknown(below, member);
    }
    return unknown;
}

static bool check_record(json_t *record, void *count)
{
    ck_assert_int_eq(count_unknown("", record), 0);
    ++*(int *)count;
    return true;
}

START_TEST(the_schema_has_every_value_of_the_committed_records)
{
    glob_t found;
    int records = 0;
    ck_assert_int_eq(glob("results/reference/*/journal.jsonl", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct error error;
        struct unread unread;
        ck_assert_msg(journal_read(found.gl_pathv[i], check_record, &records, &unread, &error), "%s", error.text);
    }
    globfree(&found);
    ck_assert_int_gt(records, 1000);
}
END_TEST

/* Where a value stands in a record is said once: nothing else spells a path out. */
START_TEST(no_source_spells_a_path)
{
    glob_t found;
    ck_assert_int_eq(glob("bench/*/*.c", 0, NULL, &found), 0);
    ck_assert_int_eq(glob("plots/*.c", GLOB_APPEND, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char *source = scratch_read(found.gl_pathv[i]), quoted[128];
        for (int id = 0; id < COLUMN_COUNT; id++) {
            snprintf(quoted, sizeof quoted, "\"%s\"", schema[id].path);
            ck_assert_msg(strchr(schema[id].path, '.') == NULL || strstr(source, quoted) == NULL, "%s: %s", found.gl_pathv[i],
                          quoted);
        }
        free(source);
    }
    ck_assert_uint_gt(found.gl_pathc, 50);
    globfree(&found);
}
END_TEST

/* ---- docs/columns.md -------------------------------------------------------------------------------------------------------- */

START_TEST(the_page_is_not_stale)
{
    char *text = NULL, *page = scratch_read("docs/columns.md");
    size_t length;
    FILE *out = open_memstream(&text, &length);
    ck_assert_ptr_nonnull(out);
    dictionary_print(out);
    ck_assert_int_eq(fclose(out), 0);
    ck_assert_msg(strcmp(page, text) == 0, "docs/columns.md is not what the schema says: `make columns` writes it anew");
    for (int i = 0; i < COLUMN_COUNT; i++)
        ck_assert_msg(strstr(text, schema[i].path) != NULL, "%s is missing", schema[i].path);
    free(text);
    free(page);
}
END_TEST

Suite *suite_columns(void)
{
    Suite *suite = suite_create("columns");
    TCase *tests = tcase_create("columns");
    tcase_add_test(tests, rows_are_whole);
    tcase_add_test(tests, columns_belong_to_measures);
    tcase_add_test(tests, gradients_of_all_tensors);
    tcase_add_test(tests, the_schema_has_every_value_of_the_committed_records);
    tcase_add_test(tests, no_source_spells_a_path);
    tcase_add_test(tests, the_page_is_not_stale);
    suite_add_tcase(suite, tests);
    return suite;
}
