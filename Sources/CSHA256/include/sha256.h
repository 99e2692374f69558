// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4). One file of C in place of a cryptography package whose 238 C++ files were most of
// a first build.
//
//   message:  [64 bytes][64 bytes] ... [the rest, 0x80, zeros, length in bits]      blocks, in order
//   state:    a b c d e f g h, eight words of 32 bits                               the digest, big-endian
#ifndef TESSERA_SHA256_H
#define TESSERA_SHA256_H
#include <stddef.h>
#include <stdint.h>

// The state between two calls: `filled` bytes of `block` wait for a whole block.
typedef struct {
  uint32_t state[8];
  uint64_t length;
  uint32_t filled;
  uint8_t block[64];
} tsr_sha256;

// The state of no bytes.
tsr_sha256 tsr_sha256_start(void);
// Adds `count` bytes.
void tsr_sha256_add(tsr_sha256 *hash, const void *bytes, size_t count);
// Writes the digest of all bytes added so far. The state itself stays, so that more can be added.
void tsr_sha256_digest(const tsr_sha256 *hash, uint8_t digest[32]);
// Whether the processor has instructions for it, which are used then. The plain compression is there for
// tests beside them.
int tsr_sha256_is_accelerated(void);
void tsr_sha256_compress_plain(uint32_t state[8], const uint8_t *blocks, size_t count);
#endif
