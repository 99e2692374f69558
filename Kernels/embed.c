// SPDX-License-Identifier: Apache-2.0
// Embeds the kernels and the shared headers in the binary (C23 #embed), so that it carries its programs.
#include "kernels.h"

#define TSR_EMBED_BEGIN(name) static const char name[] = {
#define TSR_EMBED_END , 0 };

TSR_EMBED_BEGIN(base_h)
#embed "include/tessera_base.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(params_h)
#embed "include/tessera_params.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(math_h)
#embed "include/tessera_math.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(philox_h)
#embed "include/tessera_philox.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(items_h)
#embed "include/tessera_items.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(sums_h)
#embed "include/tessera_sums.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(maps_cl)
#embed "cl/maps.cl"
TSR_EMBED_END
TSR_EMBED_BEGIN(rows_cl)
#embed "cl/rows.cl"
TSR_EMBED_END
TSR_EMBED_BEGIN(normalization_cl)
#embed "cl/normalization.cl"
TSR_EMBED_END
TSR_EMBED_BEGIN(pooling_cl)
#embed "cl/pooling.cl"
TSR_EMBED_END
TSR_EMBED_BEGIN(training_cl)
#embed "cl/training.cl"
TSR_EMBED_END
TSR_EMBED_BEGIN(memory_cl)
#embed "cl/memory.cl"
TSR_EMBED_END
TSR_EMBED_BEGIN(layout_cl)
#embed "cl/layout.cl"
TSR_EMBED_END
TSR_EMBED_BEGIN(neighbours_cl)
#embed "cl/neighbours.cl"
TSR_EMBED_END
TSR_EMBED_BEGIN(vectors_h)
#embed "cl/vectors.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(product_h)
#embed "cl/product.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(product_rows_h)
#embed "cl/product_rows.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(product_groups_h)
#embed "cl/product_groups.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(dense_rows_h)
#embed "cl/dense_rows.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(matmul_cl)
#embed "cl/matmul.cl"
TSR_EMBED_END
TSR_EMBED_BEGIN(dense_cl)
#embed "cl/dense.cl"
TSR_EMBED_END
TSR_EMBED_BEGIN(direct_cl)
#embed "cl/direct.cl"
TSR_EMBED_END
TSR_EMBED_BEGIN(normalization_rows_h)
#embed "cl/normalization_rows.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(layout_rows_h)
#embed "cl/layout_rows.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(attention_rows_h)
#embed "cl/attention_rows.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(attention_groups_h)
#embed "cl/attention_groups.h"
TSR_EMBED_END
TSR_EMBED_BEGIN(attention_cl)
#embed "cl/attention.cl"
TSR_EMBED_END
TSR_EMBED_BEGIN(peaks_cl)
#embed "cl/peaks.cl"
TSR_EMBED_END
TSR_EMBED_BEGIN(conv_cl)
#embed "cl/conv.cl"
TSR_EMBED_END

static const tsr_source sources[] = {
    {"tessera_base.h", base_h},
    {"tessera_params.h", params_h},
    {"tessera_math.h", math_h},
    {"tessera_philox.h", philox_h},
    {"tessera_items.h", items_h},
    {"tessera_sums.h", sums_h},
    {"vectors.h", vectors_h},
    {"product.h", product_h},
    {"product_rows.h", product_rows_h},
    {"product_groups.h", product_groups_h},
    {"dense_rows.h", dense_rows_h},
    {"normalization_rows.h", normalization_rows_h},
    {"layout_rows.h", layout_rows_h},
    {"attention_rows.h", attention_rows_h},
    {"attention_groups.h", attention_groups_h},
    {"maps.cl", maps_cl},
    {"rows.cl", rows_cl},
    {"normalization.cl", normalization_cl},
    {"pooling.cl", pooling_cl},
    {"training.cl", training_cl},
    {"memory.cl", memory_cl},
    {"layout.cl", layout_cl},
    {"neighbours.cl", neighbours_cl},
    {"matmul.cl", matmul_cl},
    {"conv.cl", conv_cl},
    {"dense.cl", dense_cl},
    {"direct.cl", direct_cl},
    {"attention.cl", attention_cl},
    {"peaks.cl", peaks_cl},
};

int tsr_source_count(void) { return (int)(sizeof sources / sizeof sources[0]); }
const char *tsr_source_name(int i) { return sources[i].name; }
const char *tsr_source_text(int i) { return sources[i].text; }
