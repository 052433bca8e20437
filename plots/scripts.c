/* See scripts.h. The paths are seen from the repository's root, where the compiler runs. */
#include "plots/scripts.h"

// clang-format off
#define EMBED(symbol, path)                                            \
    __asm__(".pushsection .rodata\n"                                   \
            #symbol ": .incbin \"" path "\"\n"                         \
            #symbol "_end: .byte 0\n"                                  \
            ".popsection\n");                                          \
    extern const char symbol[], symbol##_end[]

EMBED(script_page, "plots/page.gp");
EMBED(script_error_against_iteration, "plots/error-against-iteration.gp");
EMBED(script_iterations_against_kappa, "plots/iterations-against-kappa.gp");
EMBED(script_applications_against_kappa, "plots/applications-against-kappa.gp");
EMBED(script_share_converged, "plots/share-converged.gp");
EMBED(script_tracked, "plots/tracked.gp");
EMBED(script_throughput, "plots/throughput.gp");
EMBED(script_error_against_time, "plots/error-against-time.gp");
EMBED(script_gradient_cosine, "plots/gradient-cosine.gp");
EMBED(script_accuracy, "plots/accuracy.gp");
EMBED(script_sequence_accuracy, "plots/sequence-accuracy.gp");
EMBED(script_iterations, "plots/iterations.gp");
EMBED(script_loss, "plots/loss.gp");
EMBED(script_roofline, "plots/roofline.gp");
EMBED(script_difference, "plots/difference.gp");
EMBED(script_step_share, "plots/step-share.gp");
EMBED(script_step_time, "plots/step-time.gp");
EMBED(script_learning, "plots/learning.gp");
EMBED(script_learning_time, "plots/learning-time.gp");

static const struct plot_script scripts[] = {
    {"page.gp", script_page, script_page_end},
    {"error-against-iteration.gp", script_error_against_iteration, script_error_against_iteration_end},
    {"iterations-against-kappa.gp", script_iterations_against_kappa, script_iterations_against_kappa_end},
    {"applications-against-kappa.gp", script_applications_against_kappa, script_applications_against_kappa_end},
    {"share-converged.gp", script_share_converged, script_share_converged_end},
    {"tracked.gp", script_tracked, script_tracked_end},
    {"throughput.gp", script_throughput, script_throughput_end},
    {"error-against-time.gp", script_error_against_time, script_error_against_time_end},
    {"gradient-cosine.gp", script_gradient_cosine, script_gradient_cosine_end},
    {"accuracy.gp", script_accuracy, script_accuracy_end},
    {"sequence-accuracy.gp", script_sequence_accuracy, script_sequence_accuracy_end},
    {"iterations.gp", script_iterations, script_iterations_end},
    {"loss.gp", script_loss, script_loss_end},
    {"roofline.gp", script_roofline, script_roofline_end},
    {"difference.gp", script_difference, script_difference_end},
    {"step-share.gp", script_step_share, script_step_share_end},
    {"step-time.gp", script_step_time, script_step_time_end},
    {"learning.gp", script_learning, script_learning_end},
    {"learning-time.gp", script_learning_time, script_learning_time_end},
};
// clang-format on

const struct plot_script *plot_script_get(int i)
{
    return i >= 0 && (size_t)i < sizeof scripts / sizeof scripts[0] ? &scripts[i] : NULL;
}
