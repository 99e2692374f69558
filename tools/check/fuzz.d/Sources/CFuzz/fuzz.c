// SPDX-License-Identifier: Apache-2.0
#include "fuzz.h"

int LLVMFuzzerRunDriver(int *count, char ***arguments, tsr_fuzz_target target);

int tsr_fuzz_run(int count, char **arguments, tsr_fuzz_target target) {
  return LLVMFuzzerRunDriver(&count, &arguments, target);
}
