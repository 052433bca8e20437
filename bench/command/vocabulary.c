/* See vocabulary.h. */
#include "bench/command/vocabulary.h"

#include "bench/plugin/describe.h"
#include "bench/report/quantity.h"
#include "plots/kinds.h"

#include <stddef.h>

static const char *plot_name(int i)
{
    return i < plot_kind_count() ? plot_kind_get(i)->name : NULL;
}

static const char *quantity_name(int i)
{
    const struct column *quantity = quantity_get(i);
    return quantity != NULL ? quantity->name : NULL;
}

const struct vocabulary sweep_vocabulary = {plot_name, plot_kind_takes_x, plot_kind_takes_along, quantity_name, plugin_describe};
