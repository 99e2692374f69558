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

// In the order in which a program is put together: headers first.
static const tsr_source sources[] = {
    {"tessera_base.h", base_h},
    {"tessera_params.h", params_h},
};

int tsr_source_count(void) { return (int)(sizeof sources / sizeof sources[0]); }
const char *tsr_source_name(int i) { return sources[i].name; }
const char *tsr_source_text(int i) { return sources[i].text; }
