/* Texts of a user: made safe to show in a message, and compared with known names. */
#ifndef BENCH_BASE_TEXT_H
#define BENCH_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum { QUOTED_SIZE = 64 };

/* The text in double quotes: whatever a terminal might act on as \xNN, cut with "..." where it is long. Returns quoted. */
const char *text_quote(const char *text, char quoted[QUOTED_SIZE]);

/* False where a text holds what is not harmless to show (shown.h), such as a control character: a terminal, a table or a journal could trip
 * over it. */
bool text_is_plain(const char *text);

/* True for what YAML might read as a truth value or null (yes, no, on, off, true, false, null, ~, the empty text). None of these
 * is a valid name here. */
bool text_reserved(const char *text);

/* The one of n names nearest to a misspelt text, or NULL when none is near. */
const char *text_nearest(const char *text, const char *const names[], int n);

/* "a", "a or b", "one of a, b, c": n names for a message. */
void text_list(const char *const names[], int n, size_t capacity, char list[capacity]);

/* "0.8 s", "45 s", "3 min 20 s", "1 h 05 min"; "?" for what is no duration. */
void text_duration(double seconds, size_t capacity, char text[capacity]);

/* "12.3 us": a time of three significant digits, in the largest unit of s, ms, us and ns in which it is 1 or more. Returns the length. */
int text_seconds(double seconds, size_t capacity, char text[capacity]);

/* Three significant digits without an exponent; a small number in full. Returns the length. */
int text_short(double value, size_t capacity, char text[capacity]);

#endif
