/* Modular arithmetic: "expression = answer", of which only the answer is asked for, at the '='. With brackets (xLSTM; Grazzi et al.),
 * or without (xLSTM), where a product binds more tightly than sums and differences, which are taken from left to right.
 *
 * A length counts expression, '=', answer and one PAD; it is drawn from `from` to n for training, and is n itself otherwise, or from
 * `test_from` to n. What is left of the row is PAD. */
#include "tasks/family.h"

enum { OPTION_BRACKETS, OPTION_MODULUS, OPTION_FROM, OPTION_TEST_FROM };
enum { BRACKETS_YES, BRACKETS_NO };
enum { AROUND = 3, SHORTEST = 5, LONGEST = 1 << 14 }; /* expressions nest, so their length bounds how deep calls go */

static const struct task_option modular_options[] = {
    {.name = "brackets", .words = {"yes", "no"}},
    {.name = "modulus", .least = 2, .most = 100, .normal = 5},
    {.name = "from", .least = 1, .most = LONGEST, .normal = 3},
    {.name = "test_from", .least = 1, .most = LONGEST, .normal = 0},
    {0},
};

/* Tokens beside the digits 0 .. m - 1, which come first; without brackets there is none for them. */
enum sign { PLUS, MINUS, TIMES, OPEN, CLOSE, EQUALS, PAD, SIGNS };

struct writer {
    struct draws *draws;
    int32_t *token; /* the next one to be written */
    int32_t m;
    bool brackets;
};

static int32_t code(int64_t modulus, bool brackets, enum sign sign)
{
    return (int32_t)modulus + (int32_t)sign - (brackets || sign <= TIMES ? 0 : 2);
}

static bool has_brackets(const struct task *task)
{
    return task->option[OPTION_BRACKETS] == BRACKETS_YES;
}

static bool open_modular(struct task *task, const char *name, const struct reason *reason)
{
    int64_t m = task->option[OPTION_MODULUS];
    (void)name, (void)reason;
    task->facts.vocabulary = task->facts.classes = code(m, has_brackets(task), SIGNS);
    task->facts.padding = code(m, has_brackets(task), PAD);
    task->facts.shortest = 1;
    task->facts.longest = LONGEST;
    task->facts.chance = 1.0 / (double)m;
    return true;
}

static int64_t width(const struct task *task, int64_t length, bool training)
{
    (void)task, (void)training;
    return length > SHORTEST ? length : SHORTEST;
}

/* ---- Expressions: written and evaluated at once --------------------------------------------------------------------------------- */

static void put(struct writer *writer, enum sign sign)
{
    *writer->token++ = code(writer->m, writer->brackets, sign);
}

static int32_t digit(struct writer *writer)
{
    return *writer->token++ = (int32_t)draws_below(writer->draws, (uint32_t)writer->m);
}

static enum sign operator_drawn(struct writer *writer)
{
    enum sign sign = (enum sign)draws_below(writer->draws, 3);
    put(writer, sign);
    return sign;
}

static int32_t combine(int32_t left, enum sign sign, int32_t right, int32_t m)
{
    return sign == PLUS ? (left + right) % m : sign == MINUS ? (left - right + m) % m : left * right % m;
}

/* Exactly L tokens: d, -d, (d), (-d), or from five on (left operator right). */
static int32_t bracketed(struct writer *writer, int64_t L)
{
    int32_t m = writer->m, value;
    if (L >= 3)
        put(writer, OPEN);
    if (L >= SHORTEST) {
        int64_t left = 1 + draws_below(writer->draws, (uint32_t)(L - 4));
        value = bracketed(writer, left);
        enum sign sign = operator_drawn(writer);
        value = combine(value, sign, bracketed(writer, L - 3 - left), m);
    } else {
        bool minus = L % 2 == 0;
        if (minus)
            put(writer, MINUS);
        value = digit(writer);
        value = minus ? (m - value) % m : value;
    }
    if (L >= 3)
        put(writer, CLOSE);
    return value;
}

/* Digits and operators in turn, an odd number of tokens: one less than L where that is even. */
static int32_t unbracketed(struct writer *writer, int64_t L)
{
    int32_t m = writer->m, sum = 0, product = digit(writer);
    enum sign before = PLUS; /* the sign of the product that is under way */
    for (int64_t k = 3; k <= L; k += 2) {
        enum sign sign = operator_drawn(writer);
        int32_t next = digit(writer);
        if (sign == TIMES) {
            product = product * next % m;
            continue;
        }
        sum = combine(sum, before, product, m);
        product = next;
        before = sign;
    }
    return combine(sum, before, product, m);
}

static void fill(const struct task *task, struct draws *draws, int64_t length, bool training, int32_t *token, int32_t *target)
{
    int64_t from = task->option[training ? OPTION_FROM : OPTION_TEST_FROM], T = width(task, length, training);
    int64_t total = from != 0 ? draw_length(draws, from, length) : length;
    int64_t L = (total > SHORTEST ? total : SHORTEST) - AROUND;
    struct writer writer = {
        .draws = draws, .token = token, .m = (int32_t)task->option[OPTION_MODULUS], .brackets = has_brackets(task)};
    for (int64_t t = 0; t < T; t++)
        target[t] = TASK_UNSCORED;
    int32_t answer = writer.brackets ? bracketed(&writer, L) : unbracketed(&writer, L);
    target[writer.token - token] = answer;
    put(&writer, EQUALS);
    *writer.token++ = answer;
    while (writer.token < token + T)
        put(&writer, PAD);
}

const struct family modular_family = {
    .name = "modular",
    .summary = "the value of an expression modulo 5 or another number, with brackets or without",
    .spelled = "modular",
    .letter = 'M',
    .options = modular_options,
    .open = open_modular,
    .width = width,
    .fill = fill,
};
