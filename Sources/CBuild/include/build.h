// SPDX-License-Identifier: Apache-2.0
// What the build was told of itself. A target of its own: another commit compiles no kernel anew.
#ifndef TESSERA_BUILD_H
#define TESSERA_BUILD_H

// The commit that was built, as TESSERA_COMMIT named it to the package's manifest; empty where nothing did.
const char *tsr_build_commit(void);
#endif
