/* See page.h. */
#include "bench/report/blocks/page.h"

#include "bench/base/stream.h"

#include <stdlib.h>
#include <string.h>

static const char begin_mark[] = "<!-- block", close_mark[] = "-->", end_mark[] = "<!-- end -->";

/* Where a page is being read. */
struct page {
    const char *file, *at;
    int line; /* of at, from 1 */
    struct error *error;
};

/* Without its newline. */
static size_t line_length(const struct page *page)
{
    return strcspn(page->at, "\n");
}

static bool line_is(const struct page *page, const char *text)
{
    size_t length = line_length(page);
    while (length > 0 && strchr(" \r", page->at[length - 1]) != NULL)
        length--;
    return length == strlen(text) && strncmp(page->at, text, length) == 0;
}

static void next_line(struct page *page)
{
    size_t length = line_length(page);
    page->at += length + (page->at[length] == '\n');
    page->line++;
}

/* Goes on to a line that is a mark; false, with an error, where the page ends before it. */
static bool find_mark(struct page *page, const char *mark, int begun)
{
    while (*page->at != '\0' && !line_is(page, mark)) {
        if (line_is(page, begin_mark))
            return fail(page->error, "%s:%d: a block begins inside another (line %d); expected a line \"%s\" before it", page->file,
                        page->line, begun, mark);
        next_line(page);
    }
    return *page->at != '\0' ||
           fail(page->error, "%s:%d: a block has no end; expected a line \"%s\" after it", page->file, begun, mark);
}

/* What a block asks for, from its first line on. */
static bool read_request(struct page *page, const struct vocabulary *vocabulary, struct pool **pool, struct block *block)
{
    const struct source source = {.folder = "", .pool = pool, .error = page->error, .vocabulary = vocabulary, .kept = true};
    struct node *root = NULL;
    int begun = page->line;
    next_line(page);
    const char *text = page->at;
    int line = page->line;
    return find_mark(page, close_mark, begun) &&
           yaml_read_text(page->file, line, text, (size_t)(page->at - text), pool, &root, page->error) &&
           block_read(&source, root, block);
}

/* From the line that begins a block to that which ends it. */
static bool copy_block(struct page *page, const struct vocabulary *vocabulary, block_writer *write, void *context, FILE *out,
                       bool *same)
{
    struct pool *pool = NULL;
    struct stream made;
    struct block block;
    const char *request = page->at;
    int begun = page->line;
    if (!read_request(page, vocabulary, &pool, &block)) {
        pool_free(pool);
        return false;
    }
    next_line(page);
    const char *old = page->at;
    fwrite(request, 1, (size_t)(old - request), out);
    bool good = find_mark(page, end_mark, begun) && (stream_open(&made) || fail(page->error, "out of memory for a block"));
    if (good) {
        fputc('\n', made.file);
        good = write(made.file, &block, context, page->error);
        fputc('\n', made.file);
        bool whole = stream_close(&made);
        good = good && (whole || fail(page->error, "out of memory for a block"));
        if (good) {
            *same = made.length == (size_t)(page->at - old) && memcmp(made.text, old, made.length) == 0;
            fwrite(made.text, 1, made.length, out);
        }
        if (whole)
            free(made.text);
    }
    pool_free(pool);
    return good;
}

bool block_page(const char *file, const char *text, const struct vocabulary *vocabulary, block_writer *write, void *context,
                FILE *out, int *stale, int *n, struct error *error)
{
    struct page page = {.file = file, .at = text, .line = 1, .error = error};
    bool fenced = false;
    *stale = *n = 0;
    while (*page.at != '\0') {
        int begun = page.line;
        bool same = true;
        if (strncmp(page.at, "```", 3) == 0)
            fenced = !fenced;
        if (!fenced && line_is(&page, begin_mark)) {
            if (!copy_block(&page, vocabulary, write, context, out, &same))
                return false;
            ++*n;
            *stale = *stale == 0 && !same ? begun : *stale;
            continue; /* with the mark of its end */
        }
        if (!fenced && (line_is(&page, end_mark) && *n == 0))
            return fail(error, "%s:%d: an end without a block", file, page.line);
        const char *line = page.at;
        next_line(&page);
        fwrite(line, 1, (size_t)(page.at - line), out);
    }
    return true;
}
