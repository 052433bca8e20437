/* See nvml.h. The few functions are declared here as NVML's documentation has them, since its header comes with the CUDA Toolkit alone. */
#include "bench/machine/nvml.h"

#include "bench/base/parse.h"

#include <dlfcn.h>
#include <string.h>

typedef struct nvml_device *device;
typedef int answer; /* 0: done */
struct memory {
    unsigned long long total, free, used;
};

enum { CLOCK_SM = 1, CLOCK_MEMORY = 2, SENSOR_CARD = 0 };

/* Of the library; NULL what an old one does not have. */
struct calls {
    answer (*init)(void);
    answer (*shutdown)(void);
    answer (*find)(const char *pci, device *);
    answer (*driver)(char *text, unsigned capacity);
    answer (*memory)(device, struct memory *);
    answer (*clock)(device, int which, unsigned *MHz);
    answer (*clock_most)(device, int which, unsigned *MHz);
    answer (*ecc)(device, int *now, int *later);
    answer (*power_limit)(device, unsigned *mW);
    answer (*power_limit_usual)(device, unsigned *mW);
    answer (*temperature)(device, int sensor, unsigned *C);
};

static const char *const names[] = {"nvmlInit_v2",
                                    "nvmlShutdown",
                                    "nvmlDeviceGetHandleByPciBusId_v2",
                                    "nvmlSystemGetDriverVersion",
                                    "nvmlDeviceGetMemoryInfo",
                                    "nvmlDeviceGetClockInfo",
                                    "nvmlDeviceGetMaxClockInfo",
                                    "nvmlDeviceGetEccMode",
                                    "nvmlDeviceGetEnforcedPowerLimit",
                                    "nvmlDeviceGetPowerManagementDefaultLimit",
                                    "nvmlDeviceGetTemperature"};

enum { NAMES = sizeof names / sizeof names[0] };
_Static_assert(sizeof(struct calls) == NAMES * sizeof(void *), "a name for every call");

static json_t *known(bool told, double value)
{
    return told ? json_number(value) : json_null();
}

static json_t *clock_of(answer (*ask)(device, int, unsigned *), device card, int which)
{
    unsigned MHz = 0;
    bool told = ask != NULL && ask(card, which, &MHz) == 0;
    return known(told, MHz);
}

static json_t *watts(answer (*ask)(device, unsigned *), device card)
{
    unsigned mW = 0;
    bool told = ask != NULL && ask(card, &mW) == 0;
    return known(told, mW / 1e3);
}

static json_t *describe(const struct calls *nvml, device card)
{
    char driver[96] = "";
    struct memory memory = {0};
    int now = 0, later = 0;
    unsigned C = 0;
    bool named = nvml->driver != NULL && nvml->driver(driver, sizeof driver) == 0;
    bool sized = nvml->memory != NULL && nvml->memory(card, &memory) == 0;
    bool checked = nvml->ecc != NULL && nvml->ecc(card, &now, &later) == 0;
    bool felt = nvml->temperature != NULL && nvml->temperature(card, SENSOR_CARD, &C) == 0;
    // clang-format off
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
                     "driver", json_text(named ? driver : NULL),
                     "memory_bytes", known(sized, (double)memory.total),
                     "clock_MHz", clock_of(nvml->clock, card, CLOCK_SM),
                     "clock_most_MHz", clock_of(nvml->clock_most, card, CLOCK_SM),
                     "memory_clock_MHz", clock_of(nvml->clock, card, CLOCK_MEMORY),
                     "memory_clock_most_MHz", clock_of(nvml->clock_most, card, CLOCK_MEMORY),
                     "ecc", checked ? json_boolean(now != 0) : json_null(),
                     "power_limit_W", watts(nvml->power_limit, card),
                     "power_limit_usual_W", watts(nvml->power_limit_usual, card),
                     "temperature_C", known(felt, C));
    // clang-format on
}

json_t *nvml_to_json(const char *pci)
{
    struct calls nvml;
    void *address[NAMES];
    device card = NULL;
    json_t *facts = NULL;
    void *library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        return json_null();
    for (size_t i = 0; i < NAMES; i++)
        address[i] = dlsym(library, names[i]);
    memcpy(&nvml, address, sizeof nvml); /* ISO C has no cast from an object's address to a function's */
    if (nvml.init != NULL && nvml.shutdown != NULL && nvml.find != NULL && nvml.init() == 0) {
        if (nvml.find(pci, &card) == 0)
            facts = describe(&nvml, card);
        nvml.shutdown();
    }
    dlclose(library);
    return facts != NULL ? facts : json_null();
}
