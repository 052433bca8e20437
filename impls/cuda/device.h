/* The CUDA device as the implementations of this folder see it: whether there is one, its memory, its clock. The one place that
 * calls the CUDA runtime; a .cu file here holds kernels, launches them (launch.h) and calls these. Every call's return is checked, and
 * a status that is not ok names file, line and CUDA's own message.
 *
 * device.c implements this on a card, absent.c what little there is of it in a build without the CUDA Toolkit, and the tests' runner in host memory.
 * Everything goes through the one default stream, in order, on the first device that the driver shows. */
#ifndef IMPLS_CUDA_DEVICE_H
#define IMPLS_CUDA_DEVICE_H

#include "impls/impl.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Is there one ------------------------------------------------------------------------------------------------------ */

struct device_facts {
    bool there;
    char reason[160];                 /* in words, when not: built without CUDA, driver missing or too old, no device */
    char name[128], pci[32];          /* pci: its address on the bus */
    int driver, runtime;              /* versions of CUDA, 1000 * major + 10 * minor; driver 0: none */
    int major, minor;                 /* compute capability */
    int multiprocessors;              /* number of them */
    int threads;                      /* resident in a multiprocessor at most */
    size_t memory;                    /* bytes, all of it */
    size_t cache;                     /* bytes of L2 */
    size_t shared;                    /* bytes of shared memory that a block may ask for (above 48 KiB: device_shared_allow) */
    size_t shared_all;                /* bytes of shared memory in a multiprocessor */
    double clock_hz, memory_clock_hz; /* the highest that the driver tells; 0: not known */
    int memory_bits;                  /* width of the memory bus */
    bool ecc;
};

/* Asked once a process, and the same answer ever after. Takes no memory of the device. */
const struct device_facts *device_get(void);

/* ---- What supports() of every implementation here needs ----------------------------------------------------------------- */

/* Starts an answer as support_begin() does; no where there is no device, with the reason, or the dtype is not float32. False after
 * a no. */
bool device_support_begin(struct support *support, const struct problem *problem, const struct settings *settings,
                          const struct environment *environment, const struct implementation *implementation);

/* Ends it: bytes on the host and on the device that plan() takes, the device's copies of the tensors included; no when the device
 * or the environment's limit has less, with both figures. */
void device_support_memory(struct support *support, const struct problem *problem, const struct settings *settings,
                           const struct environment *environment, double host_bytes, double device_bytes);

/* ---- Memory: in plan() and destroy() only ------------------------------------------------------------------------------- */

#define DEVICE_HERE __FILE__, __LINE__

/* *pointer is NULL after a failure (out_of_memory, with figures) and where bytes is 0. */
#define device_allocate(pointer, bytes) device_allocate_at((void **)(pointer), bytes, DEVICE_HERE)
struct status device_allocate_at(void **pointer, size_t bytes, const char *file, int line);
void device_free(void *pointer); /* NULL is allowed */

/* ---- Transfers: each has ended when it returns. Nothing happens where bytes is 0 or the source NULL ----------------------- */

#define device_upload(to, from, bytes) device_upload_at(to, from, bytes, DEVICE_HERE)
#define device_download(to, from, bytes) device_download_at(to, from, bytes, DEVICE_HERE)
struct status device_upload_at(void *to_device, const void *from_host, size_t bytes, const char *file, int line);
struct status device_download_at(void *to_host, const void *from_device, size_t bytes, const char *file, int line);

/* Within the device, in order with the kernels, not waited for. */
#define device_copy(to, from, bytes) device_copy_at(to, from, bytes, DEVICE_HERE)
#define device_fill(to, byte, bytes) device_fill_at(to, byte, bytes, DEVICE_HERE)
struct status device_copy_at(void *to_device, const void *from_device, size_t bytes, const char *file, int line);
struct status device_fill_at(void *to_device, int byte, size_t bytes, const char *file, int line);

/* ---- Launches ----------------------------------------------------------------------------------------------------------- */

/* Whether the launch before this was accepted; kernel is its name. launch.h asks after each one. */
struct status device_launched_at(const char *kernel, const char *file, int line);

/* In plan(): lets a kernel have so many bytes of dynamic shared memory. kernel is its address. */
#define device_shared_allow(kernel, bytes) device_shared_allow_at((const void *)(kernel), bytes, DEVICE_HERE)
struct status device_shared_allow_at(const void *kernel, size_t bytes, const char *file, int line);

/* Waits for all that was launched; a failure inside a kernel comes out here, with the file and line of the waiting. */
#define device_wait() device_wait_at(DEVICE_HERE)
struct status device_wait_at(const char *file, int line);

/* Slot flush of every implementation here: writes as much as the cache holds, twice, so that nothing else is found in it. Takes
 * that memory at the first call, and keeps it. */
struct status device_flush(struct plan *plan);

/* ---- The device's clock: a pair of events -------------------------------------------------------------------------------- */

struct device_timer;

#define device_timer_create(timer) device_timer_create_at(timer, DEVICE_HERE)
#define device_timer_begin(timer) device_timer_begin_at(timer, DEVICE_HERE)
#define device_timer_end(timer) device_timer_end_at(timer, DEVICE_HERE)
struct status device_timer_create_at(struct device_timer **timer, const char *file, int line); /* in plan(); NULL after a failure */
struct status device_timer_begin_at(struct device_timer *timer, const char *file,
                                    int line); /* before the first launch of forward() */
struct status device_timer_end_at(struct device_timer *timer, const char *file,
                                  int line);                   /* after the last; waits as device_wait() */
double device_timer_seconds(const struct device_timer *timer); /* from begin to end; NaN before the first end */
void device_timer_destroy(struct device_timer *timer);         /* NULL is allowed */

#ifdef __cplusplus
}
#endif

#endif
