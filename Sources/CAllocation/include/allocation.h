// SPDX-License-Identifier: Apache-2.0
// Memory and threads that the system does not give end the process in one line, not in a crash or a hang.
//
// Swift's arrays and C++'s containers have no way to tell that an allocation failed: the runtime aborts
// (with a backtrace of sixty lines), and libdispatch waits without end for a thread that it cannot have.
// What is large and ours is allocated where a failure can be told (CPUMemoryPool, mapped files); for
// everything else this is the last catch. Linked into the command alone: a library has no business with
// its host's malloc. Elsewhere than on glibc, and under sanitizers, which have a malloc of their own,
// nothing is caught.
#ifndef TESSERA_ALLOCATION_H
#define TESSERA_ALLOCATION_H

// What the process is about, for the line; copied, of any thread.
void tsr_allocation_purpose(const char *what);

#endif
