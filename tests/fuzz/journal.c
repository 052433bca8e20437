/* Fuzz target: journals. What is read holds sound points in order; what is opened for appending loses a torn last line and nothing
 * else, and can be read again with the record that was appended. */
#include "tests/fuzz/fuzz.h"

#include "bench/journal/journal.h"
#include "bench/journal/records.h"

#include <stdlib.h>
#include <string.h>

static size_t count_lines(const uint8_t *bytes, size_t size)
{
    size_t n = size > 0 && bytes[size - 1] != '\n';
    for (size_t i = 0; i < size; i++)
        n += bytes[i] == '\n';
    return n;
}

static void check_records(const struct records *records, size_t lines)
{
    MUST(records->n + records->unread.torn + records->unread.aside == lines && records->unread.torn <= 1);
    for (size_t i = 0; i < records->n; i++) {
        const struct record *record = &records->record[i];
        MUST((int)record->result >= 0 && record->result <= RESULT_COUNT);
        fuzz_point(&record->point);
        for (int id = 0; id < COLUMN_COUNT; id++)
            column_state(record, (enum column_id)id);
        for (int field = 0, equal = 1; i > 0 && equal && field < FIELD_COUNT; field++) {
            int order = value_order(&record[-1].point.value[field], &record->point.value[field]);
            MUST(order <= 0);
            equal = order == 0;
        }
    }
}

static bool count_one(json_t *record, void *context)
{
    MUST(json_is_object(record));
    ++*(size_t *)context;
    return true;
}

/* Whether the file can be read as JSON lines, whatever they say: the number of objects, or SIZE_MAX. */
static size_t count_objects(const char *path, size_t *torn)
{
    struct error error;
    struct unread unread;
    size_t n = 0;
    bool read = journal_read(path, count_one, &n, &unread, &error);
    *torn = unread.torn;
    return read ? n : SIZE_MAX;
}

static void check_appending(const uint8_t *bytes, size_t size)
{
    struct journal *journal;
    struct error error;
    size_t torn, torn_before;
    char prefix[64];
    const char *path = fuzz_file(1, bytes, size);
    size_t before = count_objects(path, &torn_before);
    memset(&error, 'x', sizeof error);
    if (!journal_open(path, &journal, &error)) {
        snprintf(prefix, sizeof prefix, "cannot remove the incomplete last line of journal %s", path);
        fuzz_sentence(&error, prefix);
        return;
    }
    uint8_t *left = malloc(size + 1);
    MUST(left != NULL);
    size_t kept = fuzz_file_bytes(1, left, size + 1);
    MUST(kept <= size && memcmp(left, bytes, kept) == 0); /* cut at the end, untouched before */
    MUST(journal_torn(journal) == (kept < size) && (kept == 0 || left[kept - 1] == '\n'));
    free(left);
    json_t *record = json_pack("{s:i}", "n", 1);
    MUST(journal_append(journal, record, &error));
    json_decref(record);
    journal_close(journal);
    size_t after = count_objects(path, &torn);
    if (before != SIZE_MAX)
        MUST(torn == 0 && after == before + 1 && torn_before == (kept < size));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct records records;
    struct error error;
    memset(&error, 'x', sizeof error);
    if (records_read(fuzz_journal(0, bytes, size), &records, &error)) {
        check_records(&records, count_lines(bytes, size));
        records_free(&records);
    } else {
        fuzz_sentence(&error, "");
    }
    MUST(records.record == NULL && records.n == 0);
    check_appending(bytes, size);
    return 0;
}
