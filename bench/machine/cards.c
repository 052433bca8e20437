/* See cards.h. */
#include "bench/machine/cards.h"

#include "bench/base/number.h"
#include "bench/base/text.h"
#include "bench/base/yaml.h"

#include <string.h>

#define GIGA 1e9
#define RATE_MAX 1e9 /* of the file's numbers: beyond any card */

static bool read_text(const struct node *node, const char **text, struct error *error)
{
    *text = node->kind == NODE_SCALAR ? node->text : "";
    return ((*text)[0] != '\0' && text_is_plain(*text)) || fail_at(error, &node->mark, "%s: expected one line of text", node->key);
}

static bool read_rate(const struct node *node, double *rate, struct error *error)
{
    double giga = 0;
    bool good = node->kind == NODE_SCALAR && number_read_real(node->text, &giga) && giga > 0 && giga <= RATE_MAX;
    *rate = giga * GIGA;
    return good || fail_at(error, &node->mark, "%s: expected a number above 0, at most %.0f", node->key, RATE_MAX);
}

static bool read_card(const struct node *node, struct card *card, struct error *error)
{
    static const char *const keys[] = {"name", "GB_per_s", "GFLOP_per_s", "source"};
    enum { KEYS = sizeof keys / sizeof keys[0] };
    const struct node *of[KEYS];
    bool good = node->kind == NODE_MAP && node->n == KEYS;
    for (int i = 0; i < KEYS && good; i++)
        good = (of[i] = node_find(node, keys[i])) != NULL;
    if (!good)
        return fail_at(error, &node->mark, "an invalid card; expected {name: ..., GB_per_s: ..., GFLOP_per_s: ..., source: ...}");
    return read_text(of[0], &card->name, error) && read_rate(of[1], &card->bandwidth, error) &&
           read_rate(of[2], &card->rate, error) && read_text(of[3], &card->source, error);
}

bool cards_read(const char *path, struct cards *cards, struct error *error)
{
    struct node *root;
    struct yaml_source source;
    *cards = (struct cards){.n = 0};
    bool good = yaml_read(path, &cards->memory, &root, &source, error);
    if (good && (root->kind != NODE_LIST || root->n < 1 || root->n > CARDS_MAX))
        good = fail_at(error, &root->mark, "%s; expected a list of 1 to %d cards", node_kind_name(root), CARDS_MAX);
    for (const struct node *node = good ? root->child : NULL; node != NULL && good; node = node->next)
        good = read_card(node, &cards->card[cards->n++], error);
    if (!good)
        cards_free(cards);
    return good;
}

void cards_free(struct cards *cards)
{
    pool_free(cards->memory);
    cards->memory = NULL;
    cards->n = 0;
}
