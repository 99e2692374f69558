// SPDX-License-Identifier: Apache-2.0
// Embeds the text of the OpenCL programs in the binary (C23 #embed), so that the binary carries its
// kernels. A file's name is its path from this folder, as #include has it. The C twins (c/*.h) are
// compiled, not embedded.
#include "kernels.h"

#define TSR_EMBED_BEGIN(name) static const char name[] = {
#define TSR_EMBED_END \
  , 0                 \
  }                   \
  ;

TSR_EMBED_BEGIN(tessera_base_h)
#embed "include/tessera_base.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(tessera_params_h)
#embed "include/tessera_params.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(winograd_scratch_h)
#embed "include/winograd_scratch.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(math_h)
#embed "common/math.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(math_body_h)
#embed "common/math_body.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(math16_h)
#embed "common/math16.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(philox_h)
#embed "common/philox.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(kernel_forms_h)
#embed "common/kernel_forms.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(sums_h)
#embed "common/sums.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(maps_cl)
#embed "elementwise/maps.cl"
TSR_EMBED_END
TSR_EMBED_BEGIN(convert_cl)
#embed "elementwise/convert.cl"
TSR_EMBED_END
TSR_EMBED_BEGIN(broadcast_cl)
#embed "elementwise/broadcast.cl"
TSR_EMBED_END
TSR_EMBED_BEGIN(rows_cl)
#embed "reduction/rows.cl"
TSR_EMBED_END
TSR_EMBED_BEGIN(normalization_cpu_h)
#embed "normalization/normalization_cpu.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(normalization_cl)
#embed "normalization/normalization.cl"
TSR_EMBED_END
TSR_EMBED_BEGIN(pooling_cl)
#embed "pooling/pooling.cl"
TSR_EMBED_END
TSR_EMBED_BEGIN(random_cl)
#embed "random/random.cl"
TSR_EMBED_END
TSR_EMBED_BEGIN(indexing_cl)
#embed "indexing/indexing.cl"
TSR_EMBED_END
TSR_EMBED_BEGIN(optimizer_cl)
#embed "optimizer/optimizer.cl"
TSR_EMBED_END
TSR_EMBED_BEGIN(memory_cl)
#embed "memory/memory.cl"
TSR_EMBED_END
TSR_EMBED_BEGIN(tsne_cpu_h)
#embed "tsne/tsne_cpu.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(tsne_cl)
#embed "tsne/tsne.cl"
TSR_EMBED_END
TSR_EMBED_BEGIN(tsne_sparse_cl)
#embed "tsne/tsne_sparse.cl"
TSR_EMBED_END
TSR_EMBED_BEGIN(gemm_h)
#embed "gemm/gemm.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(gemm_cpu_h)
#embed "gemm/gemm_cpu.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(gemm_gpu_load_h)
#embed "gemm/gemm_gpu_load.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(gemm_gpu_h)
#embed "gemm/gemm_gpu.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(gemm_cl)
#embed "gemm/gemm.cl"
TSR_EMBED_END
TSR_EMBED_BEGIN(conv_cpu_h)
#embed "conv/conv_cpu.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(implicit_gemm_cl)
#embed "conv/implicit_gemm.cl"
TSR_EMBED_END
TSR_EMBED_BEGIN(conv_blocked_cl)
#embed "conv/conv_blocked.cl"
TSR_EMBED_END
TSR_EMBED_BEGIN(conv_grouped_cl)
#embed "conv/conv_grouped.cl"
TSR_EMBED_END
TSR_EMBED_BEGIN(winograd_h)
#embed "conv/winograd.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(winograd_tiles_h)
#embed "conv/winograd_tiles.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(winograd_work_h)
#embed "conv/winograd_work.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(winograd_cpu_h)
#embed "conv/winograd_cpu.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(winograd_gpu_h)
#embed "conv/winograd_gpu.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(winograd_cl)
#embed "conv/winograd.cl"
TSR_EMBED_END
TSR_EMBED_BEGIN(attention_cpu_h)
#embed "attention/attention_cpu.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(attention_gpu_h)
#embed "attention/attention_gpu.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(attention_cl)
#embed "attention/attention.cl"
TSR_EMBED_END
TSR_EMBED_BEGIN(digits_h)
#embed "integer_gemm/digits.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(matrix_units_h)
#embed "integer_gemm/matrix_units.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(digit_words_h)
#embed "integer_gemm/digit_words.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(words_cpu_h)
#embed "integer_gemm/words_cpu.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(units_gpu_h)
#embed "integer_gemm/units_gpu.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(integer_gemm_cl)
#embed "integer_gemm/integer_gemm.cl"
TSR_EMBED_END
TSR_EMBED_BEGIN(integer_view_cl)
#embed "integer_gemm/integer_view.cl"
TSR_EMBED_END
TSR_EMBED_BEGIN(peaks_cl)
#embed "peaks/peaks.cl"
TSR_EMBED_END

static const tsr_source sources[] = {
    {"include/tessera_base.h", tessera_base_h},
    {"include/tessera_params.h", tessera_params_h},
    {"include/winograd_scratch.h", winograd_scratch_h},
    {"common/math.h", math_h},
    {"common/math_body.h", math_body_h},
    {"common/math16.h", math16_h},
    {"common/philox.h", philox_h},
    {"common/kernel_forms.h", kernel_forms_h},
    {"common/sums.h", sums_h},
    {"elementwise/maps.cl", maps_cl},
    {"elementwise/convert.cl", convert_cl},
    {"elementwise/broadcast.cl", broadcast_cl},
    {"reduction/rows.cl", rows_cl},
    {"normalization/normalization_cpu.h", normalization_cpu_h},
    {"normalization/normalization.cl", normalization_cl},
    {"pooling/pooling.cl", pooling_cl},
    {"random/random.cl", random_cl},
    {"indexing/indexing.cl", indexing_cl},
    {"optimizer/optimizer.cl", optimizer_cl},
    {"memory/memory.cl", memory_cl},
    {"tsne/tsne_cpu.h", tsne_cpu_h},
    {"tsne/tsne.cl", tsne_cl},
    {"tsne/tsne_sparse.cl", tsne_sparse_cl},
    {"gemm/gemm.h", gemm_h},
    {"gemm/gemm_cpu.h", gemm_cpu_h},
    {"gemm/gemm_gpu_load.h", gemm_gpu_load_h},
    {"gemm/gemm_gpu.h", gemm_gpu_h},
    {"gemm/gemm.cl", gemm_cl},
    {"conv/conv_cpu.h", conv_cpu_h},
    {"conv/implicit_gemm.cl", implicit_gemm_cl},
    {"conv/conv_blocked.cl", conv_blocked_cl},
    {"conv/conv_grouped.cl", conv_grouped_cl},
    {"conv/winograd.h", winograd_h},
    {"conv/winograd_tiles.h", winograd_tiles_h},
    {"conv/winograd_work.h", winograd_work_h},
    {"conv/winograd_cpu.h", winograd_cpu_h},
    {"conv/winograd_gpu.h", winograd_gpu_h},
    {"conv/winograd.cl", winograd_cl},
    {"attention/attention_cpu.h", attention_cpu_h},
    {"attention/attention_gpu.h", attention_gpu_h},
    {"attention/attention.cl", attention_cl},
    {"integer_gemm/digits.h", digits_h},
    {"integer_gemm/matrix_units.h", matrix_units_h},
    {"integer_gemm/digit_words.h", digit_words_h},
    {"integer_gemm/words_cpu.h", words_cpu_h},
    {"integer_gemm/units_gpu.h", units_gpu_h},
    {"integer_gemm/integer_gemm.cl", integer_gemm_cl},
    {"integer_gemm/integer_view.cl", integer_view_cl},
    {"peaks/peaks.cl", peaks_cl},
};

int tsr_source_count(void) { return (int)(sizeof sources / sizeof sources[0]); }
const char *tsr_source_name(int i) { return sources[i].name; }
const char *tsr_source_text(int i) { return sources[i].text; }
