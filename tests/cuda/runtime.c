/* impls/cuda/device.c, as it ships, linked with a made-up CUDA runtime in the place of the real one: a card of 64 MB, 1 MB of it free, on
 * which every call is refused. Each refusal must come back as a status with the words and figures that a person needs. */
#include "impls/cuda/device.h"

#include <cuda_runtime_api.h>

#include <stdio.h>
#include <string.h>

#define REFUSED cudaErrorNotPermitted

static cudaError_t answer = REFUSED; /* of cudaMalloc */

cudaError_t cudaRuntimeGetVersion(int *version)
{
    *version = 13000;
    return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int *version)
{
    *version = 13000;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int *count)
{
    *count = 1;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *properties, int device)
{
    (void)device;
    memset(properties, 0, sizeof *properties);
    snprintf(properties->name, sizeof properties->name, "a small card");
    properties->totalGlobalMem = 64000000;
    return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int *value, enum cudaDeviceAttr which, int device)
{
    (void)which, (void)device;
    *value = 0;
    return cudaSuccess;
}

cudaError_t cudaDeviceGetPCIBusId(char *text, int capacity, int device)
{
    (void)device;
    snprintf(text, (size_t)capacity, "0000:00:00.0");
    return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t *free, size_t *total)
{
    *free = 1000000;
    *total = 64000000;
    return cudaSuccess;
}

cudaError_t cudaMalloc(void **pointer, size_t bytes)
{
    (void)bytes;
    *pointer = NULL;
    return answer;
}

const char *cudaGetErrorString(cudaError_t error)
{
    return error == cudaErrorMemoryAllocation ? "out of memory" : "operation not permitted";
}

cudaError_t cudaGetLastError(void)
{
    return REFUSED;
}

cudaError_t cudaFree(void *pointer)
{
    (void)pointer;
    return cudaSuccess;
}

cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind)
{
    (void)to, (void)from, (void)bytes, (void)kind;
    return REFUSED;
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind, cudaStream_t stream)
{
    (void)stream;
    return cudaMemcpy(to, from, bytes, kind);
}

cudaError_t cudaMemsetAsync(void *to, int byte, size_t bytes, cudaStream_t stream)
{
    (void)to, (void)byte, (void)bytes, (void)stream;
    return REFUSED;
}

cudaError_t cudaFuncSetAttribute(const void *kernel, enum cudaFuncAttribute which, int value)
{
    (void)kernel, (void)which, (void)value;
    return REFUSED;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream)
{
    (void)stream;
    return REFUSED;
}

cudaError_t cudaEventCreate(cudaEvent_t *event)
{
    *event = NULL;
    return REFUSED;
}

cudaError_t cudaEventDestroy(cudaEvent_t event)
{
    (void)event;
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream)
{
    (void)event, (void)stream;
    return REFUSED;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event)
{
    (void)event;
    return REFUSED;
}

cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t begin, cudaEvent_t end)
{
    (void)begin, (void)end;
    *milliseconds = 0;
    return REFUSED;
}

static int wrong;

static void expect(const char *what, const char *said, const char *expected)
{
    if (strstr(said, expected) != NULL)
        return;
    printf("%s: \"%s\", expected \"%s\"\n", what, said, expected);
    wrong = 1;
}

static void expect_status(const char *what, struct status status, enum status_code code, const char *expected)
{
    if (status.code != code) {
        printf("%s: %s, expected %s\n", what, status_names[status.code], status_names[code]);
        wrong = 1;
    }
    expect(what, status.message, expected);
}

int main(void)
{
    const struct problem p = {.B = 1, .T = 1000, .d = 1000, .dtype = DTYPE_FLOAT32};
    const struct settings settings = {.l_max = 1};
    const struct environment environment = {.threads = 1};
    struct support support = {.yes = true};
    struct device_timer *timer;
    char byte = 0;
    void *pointer = &byte;

    if (!device_get()->there || device_get()->memory != 64000000)
        wrong = printf("the card is not seen: %s\n", device_get()->reason) > 0;
    device_support_memory(&support, &p, &settings, &environment, 0, 65000000);
    expect("supports", support.yes ? "yes" : support.reason, "needs 65.0 MB of the device's memory, a small card has 64.0 MB");
    support = (struct support){.yes = true};
    device_support_memory(&support, &p, &settings, &environment, 0, 64000000);
    expect("supports", support.yes ? "yes" : support.reason, "yes");

    answer = cudaErrorMemoryAllocation;
    expect_status("cudaMalloc", device_allocate(&pointer, 2000000), STATUS_OUT_OF_MEMORY,
                  " 2.0 MB of the device's memory: out of memory; 1.0 of 64.0 MB are free");
    if (pointer != NULL)
        wrong = printf("what was not allocated is there\n") > 0;
    answer = REFUSED;
    pointer = &byte;
    expect_status("cudaMalloc", device_allocate(&pointer, 2), STATUS_INTERNAL, "runtime.c:");
    const struct {
        const char *what;
        struct status status;
    } refused[] = {
        {"copying to the device", device_upload(&byte, &byte, 1)},
        {"copying from the device", device_download(&byte, &byte, 1)},
        {"copying on the device", device_copy(&byte, &byte, 1)},
        {"filling on the device", device_fill(&byte, 0, 1)},
        {"some_kernel", device_launched_at("some_kernel", DEVICE_HERE)},
        {"more shared memory", device_shared_allow(&byte, 1)},
        {"waiting for the device", device_wait()},
        {"creating an event", device_timer_create(&timer)},
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        char expected[160];
        snprintf(expected, sizeof expected, "%s: operation not permitted (CUDA error %d)", refused[i].what, (int)REFUSED);
        expect_status(refused[i].what, refused[i].status, STATUS_INTERNAL, expected);
        expect(refused[i].what, refused[i].status.message, "runtime.c:");
    }
    if (timer != NULL)
        wrong = printf("a timer that could not be made is there\n") > 0;
    return wrong;
}
