/* See stream.h. */
#include "bench/base/stream.h"

#include <stdlib.h>
#include <string.h>

static ssize_t append(void *cookie, const char *bytes, size_t n)
{
    struct stream *stream = cookie;
    if (stream->length + n + 1 > stream->capacity) {
        size_t capacity = 2 * (stream->length + n + 1);
        char *grown = realloc(stream->text, capacity);
        if (grown == NULL)
            return 0;
        stream->text = grown;
        stream->capacity = capacity;
    }
    memcpy(stream->text + stream->length, bytes, n);
    stream->length += n;
    stream->text[stream->length] = '\0';
    return (ssize_t)n;
}

bool stream_open(struct stream *stream)
{
    *stream = (struct stream){.text = calloc(1, 1), .capacity = 1};
    if (stream->text != NULL)
        stream->file = fopencookie(stream, "w", (cookie_io_functions_t){.write = append});
    if (stream->file != NULL)
        return true;
    free(stream->text);
    stream->text = NULL;
    return false;
}

bool stream_close(struct stream *stream)
{
    bool written = fflush(stream->file) == 0 && !ferror(stream->file);
    if (fclose(stream->file) == 0 && written)
        return true;
    free(stream->text);
    stream->text = NULL;
    return false;
}
