/* A YAML file as a small tree in which every node knows its line and column. Everything is a text, a list or a mapping; the
 * schema gives texts their meaning. Aliases, anchors, tags, duplicate keys, a second document, NUL bytes, bad UTF-8 and
 * excessive sizes are refused here. */
#ifndef BENCH_BASE_YAML_H
#define BENCH_BASE_YAML_H

#include "bench/base/error.h"
#include "bench/base/pool.h"

enum { YAML_BYTES_MAX = 1 << 20, YAML_DEPTH_MAX = 8, YAML_ENTRIES_MAX = 1000 };

struct location {
    const char *file;
    int line, column; /* from 1; columns count characters */
};

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
    enum node_kind kind;
    struct location mark;
    const char *text; /* of a scalar */
    const char *key;  /* of a mapping's entry */
    struct location key_mark;
    struct node *child, *next; /* the entries of a list or mapping, in the order of the file */
    int n;                     /* how many */
};

/* The bytes of a file as they were read. */
struct yaml_source {
    const char *text;
    size_t size;
};

/* Reads a regular file. The tree, the copy of path its marks show, and the source live in the pool. */
bool yaml_read(const char *path, struct pool **pool, struct node **root, struct yaml_source *source, struct error *error);

/* The same for a text inside a file, from some line on: marks show that file and its lines. */
bool yaml_read_text(const char *file, int line, const char *text, size_t size, struct pool **pool, struct node **root,
                    struct error *error);

/* An entry of a mapping, or NULL. */
const struct node *node_find(const struct node *map, const char *key);

/* "a text", "a list", "a mapping": for messages. */
const char *node_kind_name(const struct node *node);

/* fail() with "FILE:LINE:COLUMN: " before the sentence. */
bool fail_at(struct error *error, const struct location *mark, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
