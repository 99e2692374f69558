// SPDX-License-Identifier: Apache-2.0
// SHA-256 in plain C and by x86-64's SHA instructions where the processor has them (about eight times as
// fast).
#include "sha256.h"

#include <string.h>

static const uint32_t round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate_right(uint32_t word, int bits) { return word >> bits | word << (32 - bits); }

static uint32_t big_endian(const uint8_t *bytes) {
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

// FIPS 180-4, section 6.2.2: the message schedule of a block, then 64 rounds.
void tsr_sha256_compress_plain(uint32_t state[8], const uint8_t *blocks, size_t count) {
  for (; count > 0; count--, blocks += 64) {
    uint32_t w[64];
    for (int t = 0; t < 16; t++) w[t] = big_endian(blocks + 4 * t);
    for (int t = 16; t < 64; t++) {
      const uint32_t s0 = rotate_right(w[t - 15], 7) ^ rotate_right(w[t - 15], 18) ^ w[t - 15] >> 3;
      const uint32_t s1 = rotate_right(w[t - 2], 17) ^ rotate_right(w[t - 2], 19) ^ w[t - 2] >> 10;
      w[t] = w[t - 16] + s0 + w[t - 7] + s1;
    }
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (int t = 0; t < 64; t++) {
      const uint32_t s1 = rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25);
      const uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + round_constants[t] + w[t];
      const uint32_t s0 = rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22);
      const uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
      h = g, g = f, f = e, e = d + t1;
      d = c, c = b, b = a, a = t1 + t2;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
  }
}

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

// The same by SHA-NI: `abef` and `cdgh` hold the state in the order that sha256rnds2 wants; four words of
// the schedule a vector, made four rounds ahead.
__attribute__((target("sha,sse4.1,ssse3"))) static void compress_sha_ni(uint32_t state[8],
                                                                        const uint8_t *blocks, size_t count) {
  const __m128i reverse_bytes = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  const __m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xb1);
  const __m128i high = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1b);
  __m128i abef = _mm_alignr_epi8(low, high, 8), cdgh = _mm_blend_epi16(high, low, 0xf0);
  for (; count > 0; count--, blocks += 64) {
    const __m128i abef_before = abef, cdgh_before = cdgh;
    __m128i w[4];
    for (int t = 0; t < 16; t++) {
      if (t < 4) {
        w[t] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(blocks + 16 * t)), reverse_bytes);
      } else {
        const __m128i three = w[(t + 3) & 3], two = w[(t + 2) & 3];
        const __m128i sum =
            _mm_add_epi32(_mm_sha256msg1_epu32(w[t & 3], w[(t + 1) & 3]), _mm_alignr_epi8(three, two, 4));
        w[t & 3] = _mm_sha256msg2_epu32(sum, three);
      }
      const __m128i words =
          _mm_add_epi32(w[t & 3], _mm_loadu_si128((const __m128i *)(round_constants + 4 * t)));
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, words);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(words, 0x0e));
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }
  const __m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
  _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

int tsr_sha256_is_accelerated(void) {
  unsigned a, b = 0, c = 0, d;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b >> 29 & 1)) return 0;
  return __get_cpuid(1, &a, &b, &c, &d) && (c >> 9 & 1) && (c >> 19 & 1);  // SSSE3, SSE4.1
}
#else
int tsr_sha256_is_accelerated(void) { return 0; }
#endif

static void compress(uint32_t state[8], const uint8_t *blocks, size_t count) {
#if defined(__x86_64__)
  static _Atomic int accelerated = -1;  // Every thread that looks finds the same answer.
  if (accelerated < 0) accelerated = tsr_sha256_is_accelerated();
  if (accelerated) {
    compress_sha_ni(state, blocks, count);
    return;
  }
#endif
  tsr_sha256_compress_plain(state, blocks, count);
}

tsr_sha256 tsr_sha256_start(void) {
  const tsr_sha256 hash = {.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c,
                                     0x1f83d9ab, 0x5be0cd19}};
  return hash;
}

void tsr_sha256_add(tsr_sha256 *hash, const void *bytes, size_t count) {
  const uint8_t *from = bytes;
  hash->length += count;
  if (hash->filled > 0) {
    const size_t room = sizeof hash->block - hash->filled, taken = count < room ? count : room;
    if (taken > 0) memcpy(hash->block + hash->filled, from, taken);
    hash->filled += (uint32_t)taken, from += taken, count -= taken;
    if (hash->filled < sizeof hash->block) return;
    compress(hash->state, hash->block, 1);
    hash->filled = 0;
  }
  compress(hash->state, from, count / sizeof hash->block);
  from += count / sizeof hash->block * sizeof hash->block;
  hash->filled = (uint32_t)(count % sizeof hash->block);
  if (hash->filled > 0) memcpy(hash->block, from, hash->filled);
}

void tsr_sha256_digest(const tsr_sha256 *hash, uint8_t digest[32]) {
  tsr_sha256 last = *hash;
  const uint64_t bits = hash->length * 8;
  uint8_t end[72] = {0x80};
  const size_t zeros = (hash->filled < 56 ? 56 : 120) - hash->filled;
  for (int byte = 0; byte < 8; byte++) end[zeros + byte] = (uint8_t)(bits >> (56 - 8 * byte));
  tsr_sha256_add(&last, end, zeros + 8);
  for (int word = 0; word < 8; word++)
    for (int byte = 0; byte < 4; byte++)
      digest[4 * word + byte] = (uint8_t)(last.state[word] >> (24 - 8 * byte));
}
