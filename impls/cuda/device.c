/* See device.h: on a card, by the CUDA runtime. */
#include "impls/cuda/device.h"

#include <cuda_runtime_api.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Failures ------------------------------------------------------------------------------------------------------------ */

/* The last part of a path: a status has room for little. */
static const char *base(const char *file)
{
    const char *slash = strrchr(file, '/');
    return slash != NULL ? slash + 1 : file;
}

static struct status check(cudaError_t error, const char *what, const char *file, int line)
{
    if (error == cudaSuccess)
        return status_ok();
    cudaGetLastError(); /* one that can be got over must not come up again in the next call */
    return status_at(STATUS_INTERNAL, -1, -1, "%s:%d: %s: %s (CUDA error %d)", base(file), line, what, cudaGetErrorString(error),
                     (int)error);
}

/* ---- Is there one -------------------------------------------------------------------------------------------------------- */

static struct device_facts facts;

static void version_print(int version, size_t capacity, char *text)
{
    snprintf(text, capacity, "%d.%d", version / 1000, version % 1000 / 10);
}

/* Why there is none, by what cudaGetDeviceCount answers. */
static void say_absent(cudaError_t error)
{
    char runtime[16], driver[16];
    version_print(facts.runtime, sizeof runtime, runtime);
    version_print(facts.driver, sizeof driver, driver);
    if (error == cudaErrorInsufficientDriver && facts.driver == 0)
        snprintf(facts.reason, sizeof facts.reason, "no NVIDIA driver (CUDA %s needs one; CUDA error %d)", runtime, (int)error);
    else if (error == cudaErrorInsufficientDriver)
        snprintf(facts.reason, sizeof facts.reason, "the NVIDIA driver is too old: it knows CUDA %s, this was built with CUDA %s",
                 driver, runtime);
    else if (error == cudaErrorStubLibrary)
        snprintf(facts.reason, sizeof facts.reason, "no NVIDIA driver: libcuda is the Toolkit's stub (CUDA error %d)", (int)error);
    else if (error == cudaErrorNoDevice || error == cudaSuccess)
        snprintf(facts.reason, sizeof facts.reason, "no CUDA device: the NVIDIA driver (CUDA %s) shows none", driver);
    else
        snprintf(facts.reason, sizeof facts.reason, "no CUDA device can be used: %s (CUDA error %d)", cudaGetErrorString(error),
                 (int)error);
}

/* 0 where the driver does not know an attribute. */
static int attribute(enum cudaDeviceAttr which)
{
    int value = 0;
    return cudaDeviceGetAttribute(&value, which, 0) == cudaSuccess ? value : 0;
}

static void ask(void)
{
    int count = 0;
    struct cudaDeviceProp properties;
    cudaRuntimeGetVersion(&facts.runtime);
    cudaDriverGetVersion(&facts.driver);
    cudaError_t error = cudaGetDeviceCount(&count); /* leaves count as it was where there is none */
    if (error == cudaSuccess && count > 0)
        error = cudaGetDeviceProperties(&properties, 0);
    facts.there = error == cudaSuccess && count > 0;
    cudaGetLastError();
    if (!facts.there) {
        say_absent(error);
        return;
    }
    snprintf(facts.name, sizeof facts.name, "%.127s", properties.name);
    cudaDeviceGetPCIBusId(facts.pci, sizeof facts.pci, 0);
    facts.major = properties.major;
    facts.minor = properties.minor;
    facts.multiprocessors = properties.multiProcessorCount;
    facts.threads = properties.maxThreadsPerMultiProcessor;
    facts.memory = properties.totalGlobalMem;
    facts.cache = (size_t)properties.l2CacheSize;
    facts.shared = properties.sharedMemPerBlockOptin;
    facts.shared_all = properties.sharedMemPerMultiprocessor;
    facts.clock_hz = 1e3 * attribute(cudaDevAttrClockRate);
    facts.memory_clock_hz = 1e3 * attribute(cudaDevAttrMemoryClockRate);
    facts.memory_bits = attribute(cudaDevAttrGlobalMemoryBusWidth);
    facts.ecc = attribute(cudaDevAttrEccEnabled) != 0;
}

const struct device_facts *device_get(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, ask);
    return &facts;
}

/* ---- Memory -------------------------------------------------------------------------------------------------------------- */

struct status device_allocate_at(void **pointer, size_t bytes, const char *file, int line)
{
    size_t free = 0, total = 0;
    *pointer = NULL;
    if (bytes == 0)
        return status_ok();
    cudaError_t error = cudaMalloc(pointer, bytes);
    if (error == cudaSuccess)
        return status_ok();
    *pointer = NULL;
    if (error != cudaErrorMemoryAllocation)
        return check(error, "cudaMalloc", file, line);
    cudaGetLastError();
    cudaMemGetInfo(&free, &total);
    return status_at(STATUS_OUT_OF_MEMORY, -1, -1, "%s:%d: %.1f MB of the device's memory: %s; %.1f of %.1f MB are free",
                     base(file), line, (double)bytes / 1e6, cudaGetErrorString(error), (double)free / 1e6, (double)total / 1e6);
}

void device_free(void *pointer)
{
    cudaFree(pointer);
}

struct status device_upload_at(void *to_device, const void *from_host, size_t bytes, const char *file, int line)
{
    if (bytes == 0 || from_host == NULL)
        return status_ok();
    return check(cudaMemcpy(to_device, from_host, bytes, cudaMemcpyHostToDevice), "copying to the device", file, line);
}

struct status device_download_at(void *to_host, const void *from_device, size_t bytes, const char *file, int line)
{
    if (bytes == 0 || from_device == NULL)
        return status_ok();
    return check(cudaMemcpy(to_host, from_device, bytes, cudaMemcpyDeviceToHost), "copying from the device", file, line);
}

struct status device_copy_at(void *to_device, const void *from_device, size_t bytes, const char *file, int line)
{
    if (bytes == 0 || from_device == NULL)
        return status_ok();
    return check(cudaMemcpyAsync(to_device, from_device, bytes, cudaMemcpyDeviceToDevice, 0), "copying on the device", file, line);
}

struct status device_fill_at(void *to_device, int byte, size_t bytes, const char *file, int line)
{
    return bytes == 0 ? status_ok() : check(cudaMemsetAsync(to_device, byte, bytes, 0), "filling on the device", file, line);
}

struct status device_flush(struct plan *plan)
{
    static void *scratch; /* kept for as long as the process lives */
    static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
    size_t bytes = 2 * device_get()->cache;
    struct status status = status_ok();
    (void)plan;
    pthread_mutex_lock(&one);
    if (scratch == NULL)
        status = device_allocate(&scratch, bytes);
    if (status.code == STATUS_OK)
        status = device_fill(scratch, 0, bytes);
    if (status.code == STATUS_OK)
        status = device_wait();
    pthread_mutex_unlock(&one);
    return status;
}

/* ---- Launches ------------------------------------------------------------------------------------------------------------ */

struct status device_launched_at(const char *kernel, const char *file, int line)
{
    return check(cudaGetLastError(), kernel, file, line);
}

struct status device_shared_allow_at(const void *kernel, size_t bytes, const char *file, int line)
{
    return check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)bytes), "more shared memory", file,
                 line);
}

struct status device_wait_at(const char *file, int line)
{
    return check(cudaStreamSynchronize(0), "waiting for the device", file, line);
}

/* ---- Its clock ----------------------------------------------------------------------------------------------------------- */

struct device_timer {
    cudaEvent_t begin, end;
    double seconds;
};

void device_timer_destroy(struct device_timer *timer)
{
    if (timer == NULL)
        return;
    if (timer->begin != NULL)
        cudaEventDestroy(timer->begin);
    if (timer->end != NULL)
        cudaEventDestroy(timer->end);
    free(timer);
}

struct status device_timer_create_at(struct device_timer **out, const char *file, int line)
{
    struct device_timer *timer = calloc(1, sizeof *timer);
    *out = NULL;
    if (timer == NULL)
        return status_at(STATUS_OUT_OF_MEMORY, -1, -1, "%s:%d: out of memory for a timer", base(file), line);
    timer->seconds = NAN;
    struct status status = check(cudaEventCreate(&timer->begin), "creating an event", file, line);
    if (status.code == STATUS_OK)
        status = check(cudaEventCreate(&timer->end), "creating an event", file, line);
    if (status.code == STATUS_OK)
        *out = timer;
    else
        device_timer_destroy(timer);
    return status;
}

struct status device_timer_begin_at(struct device_timer *timer, const char *file, int line)
{
    timer->seconds = NAN;
    return check(cudaEventRecord(timer->begin, 0), "recording an event", file, line);
}

struct status device_timer_end_at(struct device_timer *timer, const char *file, int line)
{
    float milliseconds = 0;
    struct status status = check(cudaEventRecord(timer->end, 0), "recording an event", file, line);
    if (status.code == STATUS_OK)
        status = check(cudaEventSynchronize(timer->end), "waiting for the device", file, line);
    if (status.code == STATUS_OK)
        status = check(cudaEventElapsedTime(&milliseconds, timer->begin, timer->end), "reading the device's clock", file, line);
    if (status.code == STATUS_OK)
        timer->seconds = 1e-3 * (double)milliseconds;
    return status;
}

double device_timer_seconds(const struct device_timer *timer)
{
    return timer->seconds;
}
