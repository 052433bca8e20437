/* The processor, as Linux describes it. */
#ifndef BENCH_MACHINE_CPU_H
#define BENCH_MACHINE_CPU_H

enum { CPU_TEXT_MAX = 96, CPU_CACHES_MAX = 8 };

struct cache {
    int level;
    char kind[16]; /* "Data", "Instruction", "Unified" */
    long bytes;
    int sharing; /* logical processors that share it */
};

/* Texts are empty and numbers 0 where the system does not say. */
struct cpu {
    char model[CPU_TEXT_MAX], vendor[CPU_TEXT_MAX], family[CPU_TEXT_MAX], number[CPU_TEXT_MAX], stepping[CPU_TEXT_MAX];
    int sockets, cores_per_socket, threads_per_core;
    int online; /* logical processors */
    struct cache cache[CPU_CACHES_MAX];
    int n_caches;
    int virtualised; /* 1 yes, 0 no, -1 not known */
};

void cpu_read(struct cpu *cpu);

#endif
