// SPDX-License-Identifier: Apache-2.0
#ifndef TESSERA_ASSETS_H
#define TESSERA_ASSETS_H

#include <stddef.h>

// The text of assets.json and its bytes.
const char *tsr_assets(size_t *count);
#endif
