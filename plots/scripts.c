/* See scripts.h. The paths are seen from the repository's root, where the compiler runs. */
#include "plots/scripts.h"

// clang-format off
#define SCRIPTS(ROW) \
    ROW(page,                      "page") \
    ROW(curves,                    "curves") \
    ROW(curves_log,                "curves-log") \
    ROW(against_kappa,             "against-kappa") \
    ROW(error_against_iteration,   "error-against-iteration") \
    ROW(error_against_time,        "error-against-time") \
    ROW(accuracy,                  "accuracy") \
    ROW(loss,                      "loss") \
    ROW(roofline,                  "roofline") \
    ROW(step_share,                "step-share") \
    ROW(learning,                  "learning")

#define EMBED(id, name)                                                \
    __asm__(".pushsection .rodata\n"                                   \
            "script_" #id ": .incbin \"plots/" name ".gp\"\n"           \
            "script_" #id "_end: .byte 0\n"                            \
            ".popsection\n");                                          \
    extern const char script_##id[], script_##id##_end[];

SCRIPTS(EMBED)

#define SCRIPT(id, name) {name ".gp", script_##id, script_##id##_end},
static const struct plot_script scripts[] = {SCRIPTS(SCRIPT)};
// clang-format on

const struct plot_script *plot_script_get(int i)
{
    return i >= 0 && (size_t)i < sizeof scripts / sizeof scripts[0] ? &scripts[i] : NULL;
}
