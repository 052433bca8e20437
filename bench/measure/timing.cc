// See timing.h. The only C++ of the project, and no exception leaves it.
#include "bench/measure/timing.h"

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdio>
#include <ctime>
#include <exception>
#include <vector>

namespace
{

struct Sample {
    bool (*call)(void *);
    void *argument;
    double (*elapsed)(void *);
    int64_t calls;
    const char *problem; // in words, or null
};

double now()
{
    timespec time;
    clock_gettime(CLOCK_MONOTONIC_RAW, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// Seconds of all the calls, or sample.problem.
double run_calls(Sample &sample)
{
    double device = 0, started = now();
    for (int64_t i = 0; i < sample.calls; i++) {
        if (!sample.call(sample.argument)) {
            sample.problem = "a call failed";
            return 0;
        }
        if (sample.elapsed)
            device += sample.elapsed(sample.argument);
    }
    double seconds = sample.elapsed ? device : now() - started;
    if (!std::isfinite(seconds) || seconds <= 0)
        sample.problem = "the clock gave no usable time";
    return seconds;
}

// All calls are one batch, so that neither the loop nor the clock is between them.
void run_benchmark(benchmark::State &state, Sample &sample)
{
    while (state.KeepRunningBatch(sample.calls)) {
        double seconds = run_calls(sample);
        if (sample.problem) {
            state.SkipWithError(sample.problem);
            break;
        }
        state.SetIterationTime(seconds);
    }
}

// Takes the one row and prints nothing: the default reporter crashes when used twice, and warns about the library's own build.
class Silent : public benchmark::BenchmarkReporter
{
  public:
    int rows = 0;
    double seconds = 0, iterations = 0;

    bool ReportContext(const Context &) override
    {
        return true;
    }

    void ReportRuns(const std::vector<Run> &runs) override
    {
        for (const Run &run : runs) {
            rows++;
            seconds = run.real_accumulated_time;
            iterations = static_cast<double>(run.iterations);
        }
    }
};

// The library takes defaults from BENCHMARK_... variables of the environment; a sample must not depend on those.
void initialise_once()
{
    static bool done = false;
    static char arguments[][48] = {"timing",
                                   "--benchmark_filter=.",
                                   "--benchmark_list_tests=false",
                                   "--benchmark_out=",
                                   "--benchmark_repetitions=1",
                                   "--benchmark_enable_random_interleaving=false",
                                   "--benchmark_perf_counters=",
                                   "--benchmark_min_warmup_time=0",
                                   "--benchmark_format=console",
                                   "--benchmark_out_format=json",
                                   "--benchmark_dry_run=false"};
    static char *pointers[sizeof arguments / sizeof *arguments + 1];
    int count = 0;
    if (done)
        return;
    for (char *argument : arguments)
        pointers[count++] = argument;
    benchmark::Initialize(&count, pointers);
    done = true;
}

void measure(const char *name, Sample &sample, double *seconds_per_call)
{
    Silent silent;
    initialise_once();
    benchmark::ClearRegisteredBenchmarks();
    benchmark::RegisterBenchmark(name, [&sample](benchmark::State &state) { run_benchmark(state, sample); })
        ->Iterations(sample.calls)
        ->Repetitions(1)
        ->UseManualTime();
    benchmark::RunSpecifiedBenchmarks(&silent);
    benchmark::ClearRegisteredBenchmarks();
    if (!sample.problem && (silent.rows != 1 || silent.iterations != static_cast<double>(sample.calls)))
        sample.problem = "Google Benchmark did not make the calls it was asked for";
    if (!sample.problem)
        *seconds_per_call = silent.seconds / silent.iterations;
}

} // namespace

bool timing_sample(const char *name, bool (*call)(void *), void *argument, double (*elapsed)(void *), int64_t calls,
                   double *seconds_per_call, char *reason, size_t capacity)
{
    Sample sample = {call, argument, elapsed, calls, calls < 1 ? "a sample needs at least one call" : nullptr};
    try {
        if (!sample.problem)
            measure(name, sample, seconds_per_call);
        if (!sample.problem)
            return true;
        std::snprintf(reason, capacity, "%s", sample.problem);
    } catch (const std::exception &exception) {
        std::snprintf(reason, capacity, "Google Benchmark failed: %s", exception.what());
    } catch (...) {
        std::snprintf(reason, capacity, "Google Benchmark failed");
    }
    return false;
}
