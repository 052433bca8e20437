/* A made-up libcuda.so.1: NVIDIA's driver as far as CUDA's runtime asks it before it says that there is no device. It knows the CUDA of
 * DRIVER_VERSION and answers DRIVER_ANSWER when it is to begin. */
#include <stdlib.h>
#include <string.h>

enum { NOT_SUPPORTED = 801 };

typedef void any_function(void);

int cuGetProcAddress_v2(const char *name, any_function **function, int version, unsigned long long flags, int *found);

static int number(const char *variable)
{
    const char *text = getenv(variable);
    return text != NULL ? (int)strtol(text, NULL, 10) : 0;
}

static int driver_version(int *version)
{
    *version = number("DRIVER_VERSION");
    return 0;
}

static int begin(unsigned flags)
{
    (void)flags;
    return number("DRIVER_ANSWER");
}

static int not_supported(void)
{
    return NOT_SUPPORTED;
}

/* All that the runtime looks for by name. */
int cuGetProcAddress_v2(const char *name, any_function **function, int version, unsigned long long flags, int *found)
{
    static const struct {
        const char *name;
        any_function *function;
    } known[] = {{"cuGetProcAddress", (any_function *)cuGetProcAddress_v2},
                 {"cuDriverGetVersion", (any_function *)driver_version},
                 {"cuInit", (any_function *)begin}};
    (void)version, (void)flags;
    *function = (any_function *)not_supported;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(name, known[i].name) == 0)
            *function = known[i].function;
    if (found != NULL)
        *found = 0;
    return 0;
}
