// SPDX-License-Identifier: Apache-2.0
// libFuzzer's entry as a library: the program keeps its own main, and its first argument chooses the target.
#ifndef TESSERA_FUZZ_H
#define TESSERA_FUZZ_H

#include <stddef.h>
#include <stdint.h>

// 0: a run; -1: do not keep the input in the corpus.
typedef int (*tsr_fuzz_target)(const uint8_t *data, size_t size);

// Runs a target with libFuzzer's command line; its exit status.
int tsr_fuzz_run(int count, char **arguments, tsr_fuzz_target target);

#endif
