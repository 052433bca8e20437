/* See text.h. */
#include "bench/base/text.h"

#include "bench/base/shown.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { NAME_MAX_COMPARED = 32, DISTANCE_MAX = 2 };

const char *text_quote(const char *text, char quoted[QUOTED_SIZE])
{
    size_t n = 0;
    quoted[n++] = '"';
    for (const char *c = text; *c != '\0'; c++) {
        if (n + sizeof "\\xNN...\"" > QUOTED_SIZE) {
            n += (size_t)snprintf(quoted + n, QUOTED_SIZE - n, "...");
            break;
        }
        unsigned char byte = (unsigned char)*c;
        if (byte >= 0x20 && byte < 0x7f)
            quoted[n++] = *c;
        else
            n += (size_t)snprintf(quoted + n, QUOTED_SIZE - n, "\\x%02x", byte);
    }
    snprintf(quoted + n, QUOTED_SIZE - n, "\"");
    return quoted;
}

bool text_is_plain(const char *text)
{
    bool harmless = true;
    for (; *text != '\0' && harmless;)
        text += shown_character(text, &harmless);
    return harmless;
}

bool text_reserved(const char *text)
{
    static const char *const reserved[] = {"", "~", "null", "yes", "no", "on", "off", "true", "false"};
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
        if (strcasecmp(text, reserved[i]) == 0)
            return true;
    return false;
}

static int least(int a, int b, int c)
{
    int ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Levenshtein's distance, upper and lower case alike, of texts no longer than NAME_MAX_COMPARED. */
static int distance(const char *a, const char *b)
{
    int n = (int)strlen(b), row[NAME_MAX_COMPARED + 1];
    for (int j = 0; j <= n; j++)
        row[j] = j;
    for (int i = 0; a[i] != '\0'; i++) {
        int diagonal = row[0];
        row[0] = i + 1;
        for (int j = 1; j <= n; j++) {
            int change = diagonal + (tolower((unsigned char)a[i]) != tolower((unsigned char)b[j - 1]));
            diagonal = row[j];
            row[j] = least(change, row[j] + 1, row[j - 1] + 1);
        }
    }
    return row[n];
}

const char *text_nearest(const char *text, const char *const names[], int n)
{
    const char *nearest = NULL;
    int best = DISTANCE_MAX + 1;
    if (strlen(text) > NAME_MAX_COMPARED)
        return NULL;
    for (int i = 0; i < n; i++) {
        size_t length = strlen(names[i]);
        if (length > NAME_MAX_COMPARED)
            continue;
        int d = distance(text, names[i]);
        if (d < best && 2 * (size_t)d <= length) { /* most of a short name is not a slip */
            best = d;
            nearest = names[i];
        }
    }
    return nearest;
}

void text_list(const char *const names[], int n, size_t capacity, char list[capacity])
{
    size_t used = 0;
    list[0] = '\0';
    for (int i = 0; i < n && used < capacity; i++) {
        const char *before = n > 2 ? (i == 0 ? "one of " : ", ") : (i == 0 ? "" : " or ");
        int written = snprintf(list + used, capacity - used, "%s%s", before, names[i]);
        used += (size_t)(written > 0 ? written : 0);
    }
}

void text_duration(double seconds, size_t capacity, char text[capacity])
{
    if (!isfinite(seconds) || seconds < 0 || seconds > 3.6e9) {
        snprintf(text, capacity, "?");
        return;
    }
    long whole = lround(seconds);
    if (seconds < 9.95)
        snprintf(text, capacity, "%.1f s", seconds);
    else if (whole < 60)
        snprintf(text, capacity, "%ld s", whole);
    else if (whole < 3600)
        snprintf(text, capacity, "%ld min %02ld s", whole / 60, whole % 60);
    else
        snprintf(text, capacity, "%ld h %02ld min", whole / 3600, whole % 3600 / 60);
}

int text_short(double value, size_t capacity, char text[capacity])
{
    return snprintf(text, capacity, value < 1 ? "%.3g" : value < 9.995 ? "%.2f" : value < 99.95 ? "%.1f" : "%.0f", value);
}

int text_seconds(double seconds, size_t capacity, char text[capacity])
{
    static const struct {
        double size;
        const char *name;
    } units[] = {{1, "s"}, {1e-3, "ms"}, {1e-6, "us"}, {1e-9, "ns"}};
    size_t unit = 0;
    while (unit + 1 < sizeof units / sizeof units[0] && seconds < units[unit].size)
        unit++;
    int length = text_short(seconds / units[unit].size, capacity, text);
    return length + snprintf(text + length, capacity - (size_t)length, " %s", units[unit].name);
}
