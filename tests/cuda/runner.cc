/* See runner.h. This file is never instrumented itself, whatever sanitizer the kernels are compiled for: it tells the sanitizer of
 * switches and of what orders memory (RUNNER_ADDRESS, RUNNER_THREAD). */
#include "tests/cuda/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <algorithm>
#include <map>
#include <vector>

#ifdef RUNNER_ADDRESS
extern "C" {
void __sanitizer_start_switch_fiber(void **fake, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *fake, const void **bottom, size_t *size);
void __asan_poison_memory_region(const volatile void *from, size_t bytes);
void __asan_unpoison_memory_region(const volatile void *from, size_t bytes);

/* Copies of an implementation with a bug have its name, and that is not the bug. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_odr_violation=0";
}
}
#else
static void __asan_poison_memory_region(const volatile void *, size_t)
{
}
static void __asan_unpoison_memory_region(const volatile void *, size_t)
{
}
#endif

#ifdef RUNNER_THREAD
extern "C" {
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
void __tsan_acquire(void *token);
void __tsan_release(void *token);
}
enum { NO_ORDER = 1 }; /* a switch by itself orders no memory */
#else
static void __tsan_acquire(void *)
{
}
static void __tsan_release(void *)
{
}
#endif

namespace
{

enum { WARP = 32, STACK = 128 << 10, STATIC_SHARED = 48 << 10, GAP = 64, SHARED_LIMIT = 48 << 10, IDLE_ROUNDS = 200 };
[[maybe_unused]] const size_t KEPT_THREADS = 2048; /* of blocks that have ended, or are resident, under ThreadSanitizer */
const long long MOST_ROUNDS = 20000000;

enum state { READY, AT_BARRIER, AT_WARP, AT_WORD, DONE };

struct block;

struct fiber : runner_here {
    struct block *owner;
    enum state state;
    const char *file; /* where it gave way */
    int line;
    unsigned value, from; /* of a shuffle */
    const void *word;     /* last waited for, and what it held */
    unsigned long long held;
    void *stack, *sp;
    void *fake, *sanitizer; /* what the sanitizers know it by */
};

struct shared_array {
    const char *file;
    int line;
    char *at;
};

struct block {
    unsigned index;
    std::vector<fiber> threads;
    std::vector<unsigned> order;
    std::vector<shared_array> arrays;
    char *memory, *dynamic; /* static and dynamic shared memory */
    size_t used;
    unsigned alive;
    int barriers, warp_barriers[WARP]; /* so many passed */
    char token[2], warp_token[WARP][2];
};

struct {
    enum runner_order order;
    int resident;
    uint64_t random;
} chosen;
const struct runner_launch *launch;
/* What a thread runs on, kept for the next: to make them anew is most of what ThreadSanitizer costs. */
struct ground {
    void *stack, *sanitizer;
};
std::vector<ground> grounds; /* free ones */
fiber *running;
void *home_sp;
[[maybe_unused]] void *home_fake, *home_sanitizer;
[[maybe_unused]] const void *home_bottom;
[[maybe_unused]] size_t home_size;
bool moved, failed;
char message[160];
long long finished;
std::map<const void *, size_t> allowed;
char begin_token, end_token; /* apart: a thread that begins must not seem to come after one that has ended */

} // namespace

const struct runner_here *runner_now;

extern "C" void runner_switch(void **save, void *load);
__asm__(".text\n"
        ".globl runner_switch\n"
        ".type runner_switch,@function\n"
        "runner_switch:\n"
        "pushq %rbp\n pushq %rbx\n pushq %r12\n pushq %r13\n pushq %r14\n pushq %r15\n"
        "movq %rsp, (%rdi)\n"
        "movq %rsi, %rsp\n"
        "popq %r15\n popq %r14\n popq %r13\n popq %r12\n popq %rbx\n popq %rbp\n"
        "ret\n"
        ".size runner_switch, .-runner_switch\n");

void runner_ways_choose(int order, int resident, uint64_t seed)
{
    chosen.order = (enum runner_order)order;
    chosen.resident = resident;
    chosen.random = seed * 0x9e3779b97f4a7c15u + 1;
}

long long runner_threads(void)
{
    return finished;
}

void runner_allow(const void *kernel, size_t bytes)
{
    allowed[kernel] = bytes;
}

static uint64_t draw(void)
{
    chosen.random = chosen.random * 6364136223846793005u + 1442695040888963407u;
    return chosen.random >> 33;
}

static void arrange(std::vector<unsigned> &order)
{
    for (size_t i = 0; i < order.size(); i++)
        order[i] = (unsigned)(chosen.order == RUNNER_REVERSE ? order.size() - 1 - i : i);
    for (size_t i = order.size(); chosen.order == RUNNER_RANDOM && i > 1; i--)
        std::swap(order[i - 1], order[draw() % i]);
}

/* ---- Switches ----------------------------------------------------------------------------------------------------------- */

static void to_home(fiber *from, bool last)
{
    (void)last;
#ifdef RUNNER_ADDRESS
    __sanitizer_start_switch_fiber(last ? NULL : &from->fake, home_bottom, home_size);
#endif
#ifdef RUNNER_THREAD
    __tsan_switch_to_fiber(home_sanitizer, NO_ORDER);
#endif
    runner_switch(&from->sp, home_sp);
#ifdef RUNNER_ADDRESS
    __sanitizer_finish_switch_fiber(from->fake, NULL, NULL);
#endif
}

static void begin(void)
{
#ifdef RUNNER_ADDRESS
    __sanitizer_finish_switch_fiber(NULL, &home_bottom, &home_size);
#endif
    __tsan_acquire(&begin_token);
    launch->body(launch->arguments);
    __tsan_release(&end_token);
    running->state = DONE;
    to_home(running, true);
    abort(); /* nobody goes on with a thread that is done */
}

static void to_fiber(fiber *to)
{
    running = to;
    runner_now = to;
#ifdef RUNNER_ADDRESS
    __sanitizer_start_switch_fiber(&home_fake, to->stack, STACK);
#endif
#ifdef RUNNER_THREAD
    __tsan_switch_to_fiber(to->sanitizer, NO_ORDER);
#endif
    runner_switch(&home_sp, to->sp);
#ifdef RUNNER_ADDRESS
    __sanitizer_finish_switch_fiber(home_fake, NULL, NULL);
#endif
    runner_now = NULL;
}

static void give_way(enum state state, const char *file, int line)
{
    fiber *here = running;
    here->state = state;
    here->file = file;
    here->line = line;
    to_home(here, false);
}

/* ---- What threads call -------------------------------------------------------------------------------------------------- */

void runner_barrier(const char *file, int line)
{
    block *owner = running->owner;
    int parity = owner->barriers % 2;
    __tsan_release(&owner->token[parity]);
    give_way(AT_BARRIER, file, line);
    __tsan_acquire(&owner->token[parity]);
}

void runner_warp_barrier(const char *file, int line)
{
    unsigned warp = running->thread.x / WARP;
    char *token = &running->owner->warp_token[warp][running->owner->warp_barriers[warp] % 2];
    __tsan_release(token);
    running->from = WARP; /* no lane */
    give_way(AT_WARP, file, line);
    __tsan_acquire(token);
}

unsigned runner_shuffle(unsigned value, unsigned from, const char *file, int line)
{
    running->value = value;
    running->from = from;
    give_way(AT_WARP, file, line);
    return running->value;
}

void *runner_shared(size_t bytes, const char *file, int line)
{
    block *owner = running->owner;
    for (const shared_array &array : owner->arrays)
        if (array.line == line && array.file == file)
            return array.at;
    if (owner->used + bytes + GAP > STATIC_SHARED) {
        snprintf(message, sizeof message, "%s:%d: more than %d bytes of static shared memory", file, line, STATIC_SHARED);
        failed = true;
        give_way(DONE, file, line);
    }
    char *at = owner->memory + owner->used;
    owner->used += (bytes + 2 * GAP - 1) / GAP * GAP;
    __asan_unpoison_memory_region(at, bytes);
    owner->arrays.push_back({file, line, at});
    return at;
}

void *runner_shared_dynamic(void)
{
    return running->owner->dynamic;
}

void runner_waits(const void *word, unsigned long long value, const char *file, int line)
{
    if (running->word != word || running->held != value)
        moved = true;
    running->word = word;
    running->held = value;
    give_way(AT_WORD, file, line);
}

void runner_moves(void)
{
    moved = true;
}

/* ---- Blocks ------------------------------------------------------------------------------------------------------------- */

static ground take_ground(void)
{
    if (grounds.empty()) {
        ground fresh = {};
        fresh.stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (fresh.stack == MAP_FAILED) {
            fprintf(stderr, "runner: out of memory for a stack\n");
            abort();
        }
#ifdef RUNNER_THREAD
        fresh.sanitizer = __tsan_create_fiber(0);
#endif
        grounds.push_back(fresh);
    }
    ground one = grounds.back();
    grounds.pop_back();
    __asan_unpoison_memory_region(one.stack, STACK);
    return one;
}

static void open_thread(block *owner, unsigned index)
{
    fiber &one = owner->threads[index];
    one.thread.x = index;
    one.block.x = owner->index;
    one.block_size.x = launch->threads;
    one.grid_size.x = launch->blocks;
    one.owner = owner;
    one.state = READY;
    ground on = take_ground();
    one.stack = on.stack;
    one.sanitizer = on.sanitizer;
    /* tops are staggered: else they all fall into the same few lines of the cache */
    void **top = (void **)((char *)one.stack + STACK - 256 - (uintptr_t)one.stack / STACK % 32 * 192);
    *--top = NULL; /* as if called: the stack is 8 off a multiple of 16 */
    *--top = (void *)begin;
    for (int i = 0; i < 6; i++)
        *--top = NULL;
    one.sp = top;
}

static block *open_block(unsigned index)
{
    block *one = new block();
    one->index = index;
    one->threads.resize(launch->threads);
    one->order.resize(launch->threads);
    one->alive = launch->threads;
    one->memory = (char *)malloc(STATIC_SHARED);
    one->dynamic = (char *)malloc(launch->shared + 1); /* one more: it may be empty */
    memset(one->memory, 0xff, STATIC_SHARED);
    memset(one->dynamic, 0xff, launch->shared + 1);
    __asan_poison_memory_region(one->memory, STATIC_SHARED);
    __asan_poison_memory_region(one->dynamic + launch->shared / 8 * 8, launch->shared % 8 + 1);
    __asan_unpoison_memory_region(one->dynamic + launch->shared / 8 * 8, launch->shared % 8);
    __tsan_release(&begin_token);
    for (unsigned i = 0; i < launch->threads; i++)
        open_thread(one, i);
    return one;
}

static void close_block(block *one)
{
    for (const fiber &thread : one->threads)
        grounds.push_back({thread.stack, thread.sanitizer});
    __asan_unpoison_memory_region(one->memory, STATIC_SHARED);
    __asan_unpoison_memory_region(one->dynamic, launch->shared + 1);
    free(one->memory);
    free(one->dynamic);
    delete one;
}

static void fail(const block *one, const char *what, const fiber &a, const fiber *b)
{
    const char *name = strrchr(a.file, '/') != NULL ? strrchr(a.file, '/') + 1 : a.file;
    if (b == NULL)
        snprintf(message, sizeof message, "%s: %s: block %u, thread %u at %s:%d", launch->kernel, what, one->index, a.thread.x,
                 name, a.line);
    else if (b->state == DONE)
        snprintf(message, sizeof message, "%s: %s: block %u, thread %u at %s:%d, thread %u has ended", launch->kernel, what,
                 one->index, a.thread.x, name, a.line, b->thread.x);
    else
        snprintf(message, sizeof message, "%s: %s: block %u, thread %u at %s:%d, thread %u at line %d", launch->kernel, what,
                 one->index, a.thread.x, name, a.line, b->thread.x, b->line);
    failed = true;
}

/* Lets the lanes of a warp go on when all of them are at the same place. */
static void meet_warp(block *one, unsigned warp)
{
    fiber *lanes = &one->threads[warp * WARP];
    unsigned n = std::min<unsigned>(WARP, launch->threads - warp * WARP), values[WARP];
    for (unsigned i = 0; i < n; i++)
        if (lanes[i].state != AT_WARP)
            return;
    for (unsigned i = 0; i < n; i++) {
        if (lanes[i].line != lanes[0].line || lanes[i].file != lanes[0].file || (lanes[i].from < WARP) != (lanes[0].from < WARP)) {
            fail(one, "lanes of a warp meet at different places", lanes[0], &lanes[i]);
            return;
        }
        if (lanes[i].from < WARP && lanes[i].from >= n) {
            fail(one, "shuffle from a lane that does not exist", lanes[i], NULL);
            return;
        }
        values[i] = lanes[i].value;
    }
    if (lanes[0].from == WARP)
        one->warp_barriers[warp]++;
    for (unsigned i = 0; i < n; i++) {
        if (lanes[i].from < WARP)
            lanes[i].value = values[lanes[i].from];
        lanes[i].state = READY;
    }
    moved = true;
}

/* Runs every thread that can run until it gives way, in the order chosen. */
static void turn(block *one)
{
    unsigned waiting = 0, at_word = 0;
    arrange(one->order);
    for (unsigned i : one->order) {
        fiber &thread = one->threads[i];
        if (thread.state != READY && thread.state != AT_WORD)
            continue;
        to_fiber(&thread);
        if (failed)
            return;
        if (thread.state == DONE) {
            one->alive--;
            finished++;
            moved = true;
        }
    }
    for (unsigned warp = 0; warp * WARP < launch->threads && !failed; warp++)
        meet_warp(one, warp);
    if (failed)
        return;
    const fiber *barrier = NULL, *other = NULL;
    for (const fiber &thread : one->threads) {
        waiting += thread.state == AT_BARRIER;
        at_word += thread.state == AT_WORD || thread.state == READY;
        if (thread.state == AT_BARRIER && barrier == NULL)
            barrier = &thread;
        else if (thread.state != AT_BARRIER)
            other = &thread;
    }
    if (at_word > 0 || one->alive == 0)
        return;
    if (barrier == NULL) { /* lanes that wait for lanes that have ended */
        for (const fiber &thread : one->threads)
            if (thread.state == AT_WARP)
                for (const fiber &ended : one->threads)
                    if (ended.state == DONE && ended.thread.x / WARP == thread.thread.x / WARP) {
                        fail(one, "not all lanes of a warp meet", thread, &ended);
                        return;
                    }
        return;
    }
    if (waiting < launch->threads) {
        fail(one, "barrier that not all threads reach", *barrier, other);
        return;
    }
    for (const fiber &thread : one->threads)
        if (thread.line != barrier->line || thread.file != barrier->file) {
            fail(one, "threads of a block meet at different barriers", *barrier, &thread);
            return;
        }
    one->barriers++;
    for (fiber &thread : one->threads)
        thread.state = READY;
    moved = true;
}

/* ---- Launches ----------------------------------------------------------------------------------------------------------- */

static void run_blocks(void)
{
    std::vector<unsigned> order(launch->blocks);
    std::vector<block *> resident, ended;
    arrange(order);
    size_t next = 0, most = chosen.resident > 0 ? (size_t)chosen.resident : launch->blocks;
    int idle = 0;
#ifdef RUNNER_THREAD
    most = std::min(most, std::max<size_t>(2, KEPT_THREADS / launch->threads));
#endif
    for (long long rounds = 0; !failed; rounds++) {
        while (resident.size() < most && next < order.size())
            resident.push_back(open_block(order[next++]));
        if (resident.empty())
            break;
        moved = false;
        std::vector<unsigned> turns(resident.size());
        arrange(turns);
        for (unsigned i : turns) {
            turn(resident[i]);
            if (failed)
                break;
        }
        idle = moved ? 0 : idle + 1;
        if (!failed && (idle > IDLE_ROUNDS || rounds > MOST_ROUNDS))
            for (block *one : resident)
                for (const fiber &thread : one->threads)
                    if (!failed && thread.state == AT_WORD)
                        fail(one, "waits for a word that nobody writes", thread, NULL);
        for (size_t i = 0; i < resident.size();)
            if (resident[i]->alive == 0) {
                ended.push_back(resident[i]);
                resident.erase(resident.begin() + (long)i);
            } else {
                i++;
            }
#ifdef RUNNER_THREAD /* others would seem to write, unordered, what was the block's: so only now and then, and in order */
        if (ended.size() * launch->threads < KEPT_THREADS)
            continue;
        __tsan_acquire(&end_token);
#endif
        for (block *one : ended)
            close_block(one);
        ended.clear();
    }
    __tsan_acquire(&end_token);
    for (block *one : resident)
        close_block(one);
    for (block *one : ended)
        close_block(one);
}

struct status runner_run(const struct runner_launch *what)
{
    failed = false;
    size_t limit = allowed.count(what->address) ? allowed[what->address] : (size_t)SHARED_LIMIT;
    if (what->blocks == 0 || what->threads == 0 || what->threads > 1024 || what->shared > limit)
        return status_at(STATUS_INTERNAL, -1, -1,
                         "%s:%d: %s: %u blocks of %u threads and %zu bytes of shared memory cannot be launched",
                         strrchr(what->file, '/') + 1, what->line, what->kernel, what->blocks, what->threads, what->shared);
    launch = what;
#ifdef RUNNER_THREAD
    home_sanitizer = __tsan_get_current_fiber();
#endif
    run_blocks();
    return failed ? status_at(STATUS_INTERNAL, -1, -1, "%s", message) : status_ok();
}
