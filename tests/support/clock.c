/* See clock.h. The linker gives this for clock_seconds() to all that is linked with the tests. */
#include "tests/support/clock.h"

#include <stdatomic.h>
#include <stdint.h>

static _Atomic int64_t ahead, tick; /* nanoseconds */

double __real_clock_seconds(void);
double __wrap_clock_seconds(void);

double __wrap_clock_seconds(void)
{
    return __real_clock_seconds() + 1e-9 * (double)atomic_fetch_add(&ahead, atomic_load(&tick));
}

void clock_leap(double seconds)
{
    atomic_fetch_add(&ahead, (int64_t)(1e9 * seconds));
}

void clock_tick(double seconds)
{
    atomic_store(&tick, (int64_t)(1e9 * seconds));
}
