// SPDX-License-Identifier: Apache-2.0
// The list of assets, in the binary: the program and tools/fetch read the one file.
#include "assets.h"

static const char list[] = {
#embed "assets.json"
};

const char *tsr_assets(size_t *count) {
  *count = sizeof list;
  return list;
}
