/* The clock of bench/base/clock.h in a test's hand: what waits for a limit of time can be made to reach it, and what lasts no time that the
 * machine's clock could show lasts some. It runs as the machine's until it is told otherwise. Each test has a clock of its own. */
#ifndef TESTS_SUPPORT_CLOCK_H
#define TESTS_SUPPORT_CLOCK_H

/* It is so many seconds later, from now on. */
void clock_leap(double seconds);

/* Each look at it makes it so many seconds later. */
void clock_tick(double seconds);

#endif
