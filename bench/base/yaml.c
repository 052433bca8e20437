/* See yaml.h. libyaml's events are turned into nodes by recursion, whose depth is bounded before it is entered. */
#include "bench/base/yaml.h"

#include "bench/base/files.h"
#include "bench/base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

enum { PATH_SHOWN = 300 };

struct reading {
    yaml_parser_t parser;
    yaml_event_t event; /* the one at hand */
    struct pool **pool;
    const char *file;
    int line; /* of the file, in which the bytes begin */
    const unsigned char *bytes;
    size_t size;
    struct error *error;
};

bool fail_at(struct error *error, const struct location *mark, const char *format, ...)
{
    char sentence[sizeof error->text - PATH_SHOWN];
    size_t length = strlen(mark->file), cut = length > PATH_SHOWN ? length - PATH_SHOWN : 0;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    return fail(error, "%s%s:%d:%d: %s", cut > 0 ? "..." : "", mark->file + cut, mark->line, mark->column, sentence);
}

const char *node_kind_name(const struct node *node)
{
    static const char *const names[] = {[NODE_SCALAR] = "a text", [NODE_LIST] = "a list", [NODE_MAP] = "a mapping"};
    return names[node->kind];
}

const struct node *node_find(const struct node *map, const char *key)
{
    for (const struct node *entry = map->child; entry != NULL; entry = entry->next)
        if (strcmp(entry->key, key) == 0)
            return entry;
    return NULL;
}

static struct location mark_of(const struct reading *r, const yaml_mark_t *at)
{
    return (struct location){r->file, (int)at->line + r->line, (int)at->column + 1};
}

/* libyaml's marks are useless for bytes it could not decode: count lines and characters up to the byte. */
static struct location mark_of_byte(const struct reading *r, size_t offset)
{
    struct location mark = {r->file, r->line, 1};
    for (size_t i = 0; i < offset && i < r->size; i++) {
        if (r->bytes[i] == '\n') {
            mark.line++;
            mark.column = 1;
        } else if ((r->bytes[i] & 0xc0) != 0x80) {
            mark.column++;
        }
    }
    return mark;
}

static bool fail_syntax(const struct reading *r)
{
    const yaml_parser_t *parser = &r->parser;
    if (parser->error == YAML_MEMORY_ERROR)
        return fail_memory(r->error);
    if (parser->error == YAML_READER_ERROR) {
        struct location mark = mark_of_byte(r, parser->problem_offset);
        return fail_at(r->error, &mark, "%s; expected UTF-8 text", parser->problem);
    }
    struct location mark = mark_of(r, &parser->problem_mark);
    return fail_at(r->error, &mark, "not YAML: %s%s%s", parser->context ? parser->context : "", parser->context ? ": " : "",
                   parser->problem ? parser->problem : "unknown problem");
}

static bool next_event(struct reading *r)
{
    yaml_event_delete(&r->event);
    return yaml_parser_parse(&r->parser, &r->event) ? true : fail_syntax(r);
}

static bool next_events(struct reading *r, int n)
{
    while (n > 0 && next_event(r))
        n--;
    return n == 0;
}

/* Of the event at hand: NULL, or why it is refused. */
static const char *refusal(const yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return "an alias; expected the value itself";
    case YAML_SCALAR_EVENT:
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
        if (strlen((const char *)event->data.scalar.value) != event->data.scalar.length)
            return "a NUL byte in a string; expected printable characters";
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
        break;
    default:
        break;
    }
    return anchor ? "an anchor; expected the value itself" : tag ? "a tag; expected the value itself" : NULL;
}

static struct node *build(struct reading *r, int depth);

/* The key at hand, kept apart from its value: entry->key, for the node that follows. */
static bool read_key(struct reading *r, const struct node *map, const char **key, struct location *mark)
{
    char quoted[QUOTED_SIZE];
    const char *refused = refusal(&r->event);
    *mark = mark_of(r, &r->event.start_mark);
    if (refused)
        return fail_at(r->error, mark, "%s", refused);
    if (r->event.type != YAML_SCALAR_EVENT)
        return fail_at(r->error, mark, "a key that is a list or a mapping; expected a word");
    if ((*key = pool_text(r->pool, (const char *)r->event.data.scalar.value)) == NULL)
        return fail_memory(r->error);
    const struct node *earlier = node_find(map, *key);
    if (earlier != NULL)
        return fail_at(r->error, mark, "key %s is given twice (first in line %d); expected once", text_quote(*key, quoted),
                       earlier->key_mark.line);
    return true;
}

static bool build_entries(struct reading *r, struct node *parent, int depth)
{
    yaml_event_type_t end = parent->kind == NODE_MAP ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
    struct node **link = &parent->child;
    if (depth > YAML_DEPTH_MAX)
        return fail_at(r->error, &parent->mark, "nested too deeply; expected at most %d levels", YAML_DEPTH_MAX);
    for (;;) {
        const char *key = NULL;
        struct location key_mark = {0};
        if (!next_event(r))
            return false;
        if (r->event.type == end)
            return true;
        if (parent->n == YAML_ENTRIES_MAX)
            return fail_at(r->error, &parent->mark, "%s with too many entries; expected at most %d", node_kind_name(parent),
                           YAML_ENTRIES_MAX);
        if (parent->kind == NODE_MAP && (!read_key(r, parent, &key, &key_mark) || !next_event(r)))
            return false;
        struct node *entry = build(r, depth);
        if (entry == NULL)
            return false;
        entry->key = key;
        entry->key_mark = key_mark;
        *link = entry;
        link = &entry->next;
        parent->n++;
    }
}

/* The node that begins with the event at hand, or NULL with the error. */
static struct node *build(struct reading *r, int depth)
{
    struct location mark = mark_of(r, &r->event.start_mark);
    const char *refused = refusal(&r->event);
    if (refused) {
        fail_at(r->error, &mark, "%s", refused);
        return NULL;
    }
    struct node *node = pool_take(r->pool, 1, sizeof *node);
    if (node != NULL && r->event.type == YAML_SCALAR_EVENT)
        node->text = pool_text(r->pool, (const char *)r->event.data.scalar.value);
    if (node == NULL || (r->event.type == YAML_SCALAR_EVENT && node->text == NULL)) {
        fail_memory(r->error);
        return NULL;
    }
    node->mark = mark;
    if (r->event.type == YAML_SCALAR_EVENT)
        return node;
    node->kind = r->event.type == YAML_MAPPING_START_EVENT ? NODE_MAP : NODE_LIST;
    return build_entries(r, node, depth + 1) ? node : NULL;
}

static bool build_document(struct reading *r, struct node **root)
{
    struct location start = {r->file, r->line, 1};
    if (!next_events(r, 2)) /* the stream, the document */
        return false;
    if (r->event.type == YAML_STREAM_END_EVENT)
        return fail_at(r->error, &start, "the file is empty; expected a mapping that begins with name:");
    if (!next_event(r) || (*root = build(r, 0)) == NULL || !next_events(r, 2))
        return false;
    struct location mark = mark_of(r, &r->event.start_mark);
    return r->event.type == YAML_STREAM_END_EVENT ? true : fail_at(r->error, &mark, "a second YAML document; expected one");
}

/* Some editors begin a text with a byte order mark: it is no part of the first line. */
static void skip_mark(struct reading *r)
{
    static const char mark[] = "\xef\xbb\xbf";
    size_t length = sizeof mark - 1;
    if (r->size < length || memcmp(r->bytes, mark, length) != 0)
        return;
    r->bytes += length;
    r->size -= length;
}

static bool parse(struct reading *r, struct node **root)
{
    skip_mark(r);
    const unsigned char *nul = memchr(r->bytes, '\0', r->size);
    if (nul != NULL) {
        struct location mark = mark_of_byte(r, (size_t)(nul - r->bytes));
        return fail_at(r->error, &mark, "a NUL byte; expected UTF-8 text");
    }
    if (!yaml_parser_initialize(&r->parser))
        return fail_memory(r->error);
    yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r->parser, r->bytes, r->size);
    bool ok = build_document(r, root);
    yaml_event_delete(&r->event);
    yaml_parser_delete(&r->parser);
    return ok;
}

/* Up to YAML_BYTES_MAX + 1 bytes of a regular file. */
static bool load(const char *path, unsigned char *bytes, size_t *size, struct error *error)
{
    struct error reason;
    ssize_t got = 0;
    int file = files_open(path, FILES_READ, &reason);
    if (file < 0)
        return fail(error, "%.300s: %.600s; expected a sweep file", path, errno == EISDIR ? "a folder" : reason.text);
    *size = 0;
    while (*size <= YAML_BYTES_MAX && (got = read(file, bytes + *size, YAML_BYTES_MAX + 1 - *size)) > 0)
        *size += (size_t)got;
    int number = errno;
    close(file);
    if (got < 0)
        return fail(error, "%.300s: %.600s; expected a sweep file", path, error_reason(number));
    if (*size > YAML_BYTES_MAX)
        return fail(error, "%s: too large; expected a sweep file of at most %d bytes", path, YAML_BYTES_MAX);
    return true;
}

bool yaml_read(const char *path, struct pool **pool, struct node **root, struct yaml_source *source, struct error *error)
{
    struct reading reading = {.pool = pool, .error = error, .file = pool_text(pool, path), .line = 1};
    unsigned char *bytes = pool_take(pool, YAML_BYTES_MAX + 1, 1);
    reading.bytes = bytes;
    bool ok = reading.file != NULL && bytes != NULL ? load(path, bytes, &reading.size, error) : fail_memory(error);
    *source = (struct yaml_source){(const char *)bytes, reading.size}; /* whole: parsing passes over a byte order mark */
    return ok && parse(&reading, root);
}

bool yaml_read_text(const char *file, int line, const char *text, size_t size, struct pool **pool, struct node **root,
                    struct error *error)
{
    struct reading reading = {.pool = pool,
                              .error = error,
                              .file = pool_text(pool, file),
                              .line = line,
                              .bytes = (const unsigned char *)text,
                              .size = size};
    return reading.file != NULL ? parse(&reading, root) : fail_memory(error);
}
