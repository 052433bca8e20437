/* The words of train/training.h, as sweep files and records spell them. */
#include "train/training.h"

const char *const readout_names[READOUT_COUNT] = {"input", "state"};
const char *const convolution_names[CONVOLUTION_COUNT] = {"none", "short"};
const char *const mixing_names[MIXING_COUNT] = {"apart", "symmetric"};
const char *const eigenvalues_names[EIGENVALUES_COUNT] = {"positive", "both"};
const char *const output_gate_names[OUTPUT_GATE_COUNT] = {"none", "silu"};
const char *const feed_forward_names[FEED_FORWARD_COUNT] = {"none", "gelu", "swiglu"};
const char *const hands_on_names[HANDS_ON_COUNT] = {"iterate", "applied"};
const char *const schedule_names[SCHEDULE_COUNT] = {"constant", "cosine", "linear"};
const char *const part_names[PART_COUNT] = {"data", "iterations", "forward", "backward", "optimiser"};
