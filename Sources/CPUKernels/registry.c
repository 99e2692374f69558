// Every item and row kernel by name, for each instruction set.
#include "cpu_kernels.h"

#include <string.h>

#define TSR_UNARY_NAMES(X, p)                                                                                  \
  X(p##identity) X(p##exp) X(p##log) X(p##tanh) X(p##erf) X(p##rsqrt) X(p##sqrt) X(p##reciprocal)              \
  X(p##sigmoid) X(p##gelu) X(p##relu) X(p##relu6) X(p##sinTurn) X(p##cosTurn) X(p##square) X(p##abs)           \
  X(p##negate) X(p##affine)
#define TSR_BINARY_NAMES(X, p) X(p##add) X(p##subtract) X(p##multiply) X(p##divide) X(p##maximum) X(p##minimum)
#define TSR_NAMES(X)                                                                                           \
  TSR_UNARY_NAMES(X, tsr_unary_) TSR_BINARY_NAMES(X, tsr_binary_) TSR_BINARY_NAMES(X, tsr_binary_channels_)    \
  X(tsr_unary_grad_relu) X(tsr_unary_grad_relu6) X(tsr_unary_grad_gelu) X(tsr_unary_grad_tanh)                 \
  X(tsr_unary_grad_sigmoid) X(tsr_software_divide) X(tsr_software_sqrt) X(tsr_uncontracted) X(tsr_fma_peak) X(tsr_row_sum) X(tsr_row_max)          \
  X(tsr_row_argmax) X(tsr_softmax) X(tsr_distance_softmax) X(tsr_log_softmax) X(tsr_softmax_grad) X(tsr_log_softmax_grad)              \
  X(tsr_cross_entropy) X(tsr_cross_entropy_grad) X(tsr_channel_sum) X(tsr_layer_norm)                          \
  X(tsr_layer_norm_grad_data) X(tsr_layer_norm_grad_parameters) X(tsr_batch_norm_statistics)                   \
  X(tsr_batch_norm) X(tsr_batch_norm_grad_parameters) X(tsr_batch_norm_grad_data) X(tsr_batch_norm_update)     \
  X(tsr_standardize) X(tsr_max_pool) X(tsr_max_pool_grad) X(tsr_average_pool) X(tsr_average_pool_grad)         \
  X(tsr_adaptive_pool) X(tsr_adaptive_pool_grad) X(tsr_upsample) X(tsr_upsample_grad) X(tsr_random_words)      \
  X(tsr_random_uniform) X(tsr_random_normal_fill) X(tsr_dropout) X(tsr_gather) X(tsr_adam) X(tsr_fill)         \
  X(tsr_response_norm) X(tsr_response_norm_grad) X(tsr_swap_axes)                                             \
  X(tsr_copy) X(tsr_copy_grid) X(tsr_transpose) X(tsr_conditional_affinities) X(tsr_symmetrize) X(tsr_joint_scale)              \
  X(tsr_tsne_forces) X(tsr_tsne_update) X(tsr_tsne_divergence)                                              \
  X(tsr_nearest) X(tsr_neighbour_forces) X(tsr_neighbour_divergence)

#define TSR_DECLARE(name, set) void name##_##set(const void *, void *const *, int64_t, int64_t);
#if defined(__x86_64__)
#define TSR_DECLARE_ALL(name) TSR_DECLARE(name, avx512) TSR_DECLARE(name, avx2) TSR_DECLARE(name, baseline)
#define TSR_ROW(name) {#name, {name##_avx512, name##_avx2, name##_baseline}},
#else
#define TSR_DECLARE_ALL(name) TSR_DECLARE(name, baseline)
#define TSR_ROW(name) {#name, {name##_baseline, name##_baseline, name##_baseline}},
#endif
TSR_NAMES(TSR_DECLARE_ALL)

static const struct { const char *name; tsr_cpu_kernel functions[3]; } kernels[] = {TSR_NAMES(TSR_ROW)};

int tsr_cpu_kernel_count(void) { return (int)(sizeof kernels / sizeof kernels[0]); }
const char *tsr_cpu_kernel_name(int index) { return kernels[index].name; }
tsr_cpu_kernel tsr_cpu_kernel_function(int index, int isa) {
  return kernels[index].functions[3 - tsr_isa_count() + isa];
}
