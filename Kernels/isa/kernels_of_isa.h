// SPDX-License-Identifier: Apache-2.0
// Every CPU kernel for one instruction set, and the table of them. A translation unit includes this once,
// after
//
//   TSR_TABLE, TSR_TABLE_NAME   what the table is called, in C and by users
//   TSR_VECTOR                  floats in a register: 4, 8 or 16
//   TSR_MR                      rows of the GEMM's register tile; its columns are two registers
//
// Order      The families' texts come first: what they share with OpenCL, word for word. Then the C twins
//            of what OpenCL has in another form. A new family needs its #include here. Everything is
//            static: three of these units make one binary.
#define TSR_NR (2 * TSR_VECTOR)

#include "common/kernel_forms.h"
#include "common/math.h"
#include "common/philox.h"
#include "common/sums.h"
#include "common/c/vector.h"
#include "common/c/lane_sums.h"
#include "common/c/transpose.h"

// Some loops of the shared text do not become vectors; the ones that matter are measured by `tessera bench`.
#pragma clang diagnostic ignored "-Wpass-failed"

#include "elementwise/maps.cl"
#include "elementwise/convert.cl"
#include "elementwise/broadcast.cl"
#include "reduction/rows.cl"
#include "normalization/normalization.cl"
#include "pooling/pooling.cl"
#include "random/random.cl"
#include "indexing/indexing.cl"
#include "optimizer/optimizer.cl"
#include "memory/memory.cl"
#include "tsne/tsne.cl"
#include "tsne/tsne_sparse.cl"
#include "peaks/peaks.cl"

#include "gemm/c/gemm.h"
#include "conv/c/conv_blocked.h"
#include "conv/c/conv_grouped.h"
#include "conv/c/grad_weight_blocked.h"
#include "conv/c/grad_weight_grouped.h"
#include "conv/c/winograd.h"
#include "conv/c/grad_weight_winograd.h"
#include "attention/c/attention.h"
#include "integer_gemm/c/integer_gemm.h"
#include "integer_gemm/c/integer_conv.h"
#include "integer_gemm/c/integer_grad_weight.h"
#include "integer_gemm/c/integer_few.h"
#include "pooling/c/pool.h"
#include "pooling/c/max_pool_grad.h"
#include "pooling/c/adaptive_pool_grad.h"
#include "tsne/c/symmetrize.h"

// What OpenCL alone has is no function here, but has its place in the table.
#define TSR_ENTRY_BOTH(function) function,
#define TSR_ENTRY_OPENCL(function) NULL,
static const tsr_cpu_kernel kernels[] = {
#define TSR_KERNEL(name, function, family, form, targets) TSR_ENTRY_##targets(function)
#include "include/kernels.def"
#undef TSR_KERNEL
};

const tsr_cpu_table TSR_TABLE = {
    .name = TSR_TABLE_NAME,
    .tile_rows = TSR_MR,
    .tile_columns = TSR_NR,
    .kernels = kernels,
    .gemm_packed_count = tsr_gemm_packed_count,
    .gemm_packed_b_count = tsr_gemm_packed_b_count,
    .gemm_scratch_count = tsr_gemm_scratch_count,
    .gemm_streams_b = gemm_streams_b,
    .gemm_pack_a = tsr_gemm_pack_a,
    .gemm_pack_b = tsr_gemm_pack_b,
    .gemm_work = tsr_gemm_work,
    .conv_grouped_fits = tsr_conv_grouped_fits,
    .conv_grouped_scratch_count = tsr_conv_grouped_scratch_count,
    .conv_grouped_work = tsr_conv_grouped_work,
    .conv_blocked_fits = tsr_conv_blocked_fits,
    .conv_blocked_packed_count = tsr_conv_blocked_packed_count,
    .conv_blocked_scratch_count = tsr_conv_blocked_scratch_count,
    .conv_blocked_tasks = tsr_conv_blocked_tasks,
    .conv_blocked_pack = tsr_conv_blocked_pack,
    .conv_blocked_work = tsr_conv_blocked_work,
    .grouped_weight_fits = tsr_grouped_weight_fits,
    .grouped_weight_scratch_count = tsr_grouped_weight_scratch_count,
    .grouped_weight_work = tsr_grouped_weight_work,
    .grouped_weight_reduce = tsr_grouped_weight_reduce,
    .blocked_weight_fits = tsr_blocked_weight_fits,
    .blocked_weight_partial_count = tsr_blocked_weight_partial_count,
    .blocked_weight_scratch_count = tsr_blocked_weight_scratch_count,
    .blocked_weight_tasks = tsr_blocked_weight_tasks,
    .blocked_weight_work = tsr_blocked_weight_work,
    .blocked_weight_reduce = tsr_blocked_weight_reduce,
    .winograd_scratch_count = tsr_winograd_scratch_count,
    .winograd_pack = tsr_winograd_pack,
    .winograd_work = tsr_winograd_work,
    .grad_weight_winograd_scratch_count = tsr_grad_weight_winograd_scratch_count,
    .grad_weight_winograd_work = tsr_grad_weight_winograd_work,
    .grad_weight_winograd_reduce = tsr_grad_weight_winograd_reduce,
    .attention_scratch_count = tsr_attention_scratch_count,
    .attention_work = tsr_attention_work,
    .integer_gemm_b_bytes = tsr_integer_gemm_b_bytes,
    .integer_gemm_a_bytes = tsr_integer_gemm_a_bytes,
    .integer_gemm_exponents = tsr_integer_gemm_exponents,
    .integer_gemm_balance = tsr_integer_gemm_balance,
    .integer_gemm_pack_b = tsr_integer_gemm_pack_b,
    .integer_gemm_pack_a = tsr_integer_gemm_pack_a,
    .integer_gemm_scratch_count = tsr_integer_gemm_scratch_count,
    .integer_gemm_work = tsr_integer_gemm_work,
    .integer_magnitudes = tsr_integer_magnitudes,
    .integer_channel_scales = tsr_integer_channel_scales,
    .integer_weights_exponents = tsr_integer_weights_exponents,
    .integer_weights_balance = tsr_integer_weights_balance,
    .integer_weights_columns = tsr_integer_weights_columns,
    .integer_conv_image_bytes = tsr_integer_conv_image_bytes,
    .integer_conv_scales = tsr_integer_conv_scales,
    .integer_conv_digits = tsr_integer_conv_digits,
    .integer_conv_scratch_count = tsr_integer_conv_scratch_count,
    .integer_conv_work = tsr_integer_conv_work,
    .integer_grad_weight_image_bytes = tsr_integer_grad_weight_image_bytes,
    .integer_grad_weight_strip_bytes = tsr_integer_grad_weight_strip_bytes,
    .integer_grad_weight_sum_bytes = tsr_integer_grad_weight_sum_bytes,
    .integer_grad_weight_digits = tsr_integer_grad_weight_digits,
    .integer_grad_weight_pack = tsr_integer_grad_weight_pack,
    .integer_grad_weight_scratch_count = tsr_integer_grad_weight_scratch_count,
    .integer_grad_weight_work = tsr_integer_grad_weight_work,
    .integer_grad_weight_finish = tsr_integer_grad_weight_finish,
    .integer_few_stride = tsr_integer_few_stride,
    .integer_few_left = tsr_integer_few_left,
    .integer_few_right = tsr_integer_few_right,
    .integer_few_work = tsr_integer_few_work,
};
