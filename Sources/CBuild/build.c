// SPDX-License-Identifier: Apache-2.0
#include "build.h"

const char *tsr_build_commit(void) { return TSR_COMMIT; }
