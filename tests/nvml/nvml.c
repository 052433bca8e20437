/* A made-up libnvidia-ml.so.1 with one card: each answer is a figure of its own, so that none can be taken for another. It lacks the
 * temperature, as an old library may lack a function. */
#include <string.h>

#define CARD ((void *)&card)

static int card;

int nvmlInit_v2(void);
int nvmlShutdown(void);
int nvmlDeviceGetHandleByPciBusId_v2(const char *pci, void **device);
int nvmlSystemGetDriverVersion(char *text, unsigned capacity);
int nvmlDeviceGetMemoryInfo(void *device, unsigned long long memory[3]);
int nvmlDeviceGetClockInfo(void *device, int which, unsigned *MHz);
int nvmlDeviceGetMaxClockInfo(void *device, int which, unsigned *MHz);
int nvmlDeviceGetEccMode(void *device, int *now, int *later);
int nvmlDeviceGetEnforcedPowerLimit(void *device, unsigned *mW);
int nvmlDeviceGetPowerManagementDefaultLimit(void *device, unsigned *mW);

int nvmlInit_v2(void)
{
    return 0;
}

int nvmlShutdown(void)
{
    return 0;
}

int nvmlDeviceGetHandleByPciBusId_v2(const char *pci, void **device)
{
    *device = CARD;
    return strcmp(pci, "0000:17:00.0") == 0 ? 0 : 6; /* not found */
}

int nvmlSystemGetDriverVersion(char *text, unsigned capacity)
{
    strncpy(text, "580.65.06", capacity);
    return 0;
}

int nvmlDeviceGetMemoryInfo(void *device, unsigned long long memory[3])
{
    memory[0] = 80000000000; /* in all; then free and used */
    memory[1] = 79000000000;
    memory[2] = 1000000000;
    return device != CARD;
}

/* 1: of the multiprocessors, 2: of the memory */
int nvmlDeviceGetClockInfo(void *device, int which, unsigned *MHz)
{
    *MHz = which == 1 ? 1410 : which == 2 ? 1593 : 0;
    return device != CARD;
}

int nvmlDeviceGetMaxClockInfo(void *device, int which, unsigned *MHz)
{
    *MHz = which == 1 ? 1980 : which == 2 ? 2619 : 0;
    return device != CARD;
}

int nvmlDeviceGetEccMode(void *device, int *now, int *later)
{
    *now = 1;
    *later = 0;
    return device != CARD;
}

int nvmlDeviceGetEnforcedPowerLimit(void *device, unsigned *mW)
{
    *mW = 650000;
    return device != CARD;
}

/* A call that this card does not answer. */
int nvmlDeviceGetPowerManagementDefaultLimit(void *device, unsigned *mW)
{
    (void)device;
    *mW = 700000;
    return 3;
}
