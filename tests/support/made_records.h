/* Journals made by hand, for tests of what is drawn and printed from them. */
#ifndef TESTS_SUPPORT_MADE_RECORDS_H
#define TESTS_SUPPORT_MADE_RECORDS_H

#include "bench/report/summary.h"
#include "tests/support/scratch.h"

#include <stdarg.h>

/* A record with the result and the JSON text of a few members (NULL: none; they may be such as every record has), of a point given
 * as "name=value" texts up to NULL; what they leave out has its default, but for T = 64, d = 8, one thread and the baseline level.
 * Appends it to a journal. */
static inline void made_record(const char *path, const char *result, const char *members, ...)
{
    struct point point;
    memset(&point, 0, sizeof point);
    for (int f = 0; f < FIELD_COUNT; f++)
        if (fields[f].default_text != NULL && f != FIELD_INPUTS)
            ck_assert(field_read(f, fields[f].default_text, &point.value[f]));
    static const char *const given[] = {"T=64", "d=8", "threads=1", "isa=baseline"};
    va_list more;
    va_start(more, members);
    for (size_t i = 0;; i++) {
        const char *text = i < sizeof given / sizeof given[0] ? given[i] : va_arg(more, const char *);
        if (text == NULL)
            break;
        char name[32] = "";
        const char *equals = strchr(text, '=');
        ck_assert_ptr_nonnull(equals);
        memcpy(name, text, (size_t)(equals - text));
        int field = field_find_any(name);
        ck_assert_msg(field >= 0 && field_read(field, equals + 1, &point.value[field]), "bad field %s", text);
    }
    va_end(more);
    point_canonical(&point);
    json_error_t where;
    json_t *record = members != NULL ? json_loads(members, 0, &where) : json_object();
    ck_assert_msg(record != NULL, "%s", where.text);
    ck_assert_int_eq(json_object_set_new(record, "point", point_to_json(&point)), 0);
    json_object_set_new(record, "result", json_string(result));
    char key[KEY_SIZE] = "";
    point_identity(&point, key);
    strcat(key, "0123456789abcdef");
    json_t *usual = json_pack("{si si s{si si} ss ss ss ss}", "version", RECORD_VERSION, "round", 0, "order", "seed", 1, "place", 0,
                              "key", key, "message", "", "started", "2026-11-23T18:40:00Z", "machine", "fedcba9876543210");
    ck_assert_int_eq(json_object_update_missing(record, usual), 0);
    json_decref(usual);
    struct journal *journal;
    struct error error;
    ck_assert_msg(journal_open(path, &journal, &error) && journal_append(journal, record, &error), "%s", error.text);
    journal_close(journal);
    json_decref(record);
}

/* Members of a round that timed two samples with this median, at 64 tokens a call; good until the next call. */
static inline const char *made_speed(int round, double median)
{
    static char text[512];
    snprintf(text, sizeof text,
             "{\"round\":%d,\"throughput\":{\"calls\":3,\"seconds\":[%.17g,%.17g],\"median\":%.17g,\"variation\":0.01,"
             "\"outliers\":[],\"tokens_per_s\":%.17g,\"error_exact\":1e-7}}",
             round, median, median, median, 64 / median);
    return text;
}

/* The records of a journal, merged; the caller frees them. */
static inline struct records made_merged(const char *path)
{
    struct records records;
    struct error error;
    ck_assert_msg(records_read(path, &records, &error), "%s", error.text);
    ck_assert_msg(records_merge(&records, &error), "%s", error.text);
    return records;
}

#endif
