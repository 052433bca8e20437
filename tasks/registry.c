/* The families of tasks, one line each, in the order in which they are listed. */
#include "tasks/family.h"

#define FAMILIES(X) X(group) X(copying) X(modular) X(parity)

#define DECLARE(name) extern const struct family name##_family;
FAMILIES(DECLARE)

#define ROW(name) &name##_family,
static const struct family *const table[] = {FAMILIES(ROW) NULL};

const struct family *family_get(int index)
{
    return table[index];
}
