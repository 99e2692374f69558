// SPDX-License-Identifier: Apache-2.0
// A vector of floats, per instruction set, and what a contraction applies to it.

typedef float TSR_ISA(vector) __attribute__((ext_vector_type(TSR_VECTOR)));
typedef float TSR_ISA(loose) __attribute__((ext_vector_type(TSR_VECTOR), aligned(4)));
typedef float TSR_ISA(eight) __attribute__((ext_vector_type(8)));
typedef float TSR_ISA(loose_eight) __attribute__((ext_vector_type(8), aligned(4)));
typedef int TSR_ISA(bits) __attribute__((ext_vector_type(TSR_VECTOR)));

// tsr_relu, tsr_relu6 and tsr_canonical of each element.
static inline __attribute__((unused)) TSR_ISA(vector) TSR_ISA(relus)(TSR_ISA(vector) v) {
  return (TSR_ISA(vector))(~(TSR_ISA(bits))(v < 0.0f) & (TSR_ISA(bits))v);
}
static inline __attribute__((unused)) TSR_ISA(vector) TSR_ISA(relu6s)(TSR_ISA(vector) v) {
  const TSR_ISA(bits) over = v > 6.0f;
  const TSR_ISA(vector) six = 6.0f;
  return (TSR_ISA(vector))((over & (TSR_ISA(bits))six) | (~over & (TSR_ISA(bits))TSR_ISA(relus)(v)));
}
static inline TSR_ISA(vector) TSR_ISA(canonicals)(TSR_ISA(vector) v) {
  const TSR_ISA(bits) number = v == v;
  return (TSR_ISA(vector))((number & (TSR_ISA(bits))v) | (~number & (int)TSR_NAN_BITS));
}
