// SPDX-License-Identifier: Apache-2.0
// Attention of texts packed one after another, without the matrix of scores in global memory.
//
// Algorithm  y = softmax(scale q k' + bias by distance) v for each text and head (Vaswani et al. 2017). A
//            block of queries keeps whole rows of its scores in local memory. A running softmax
//            (FlashAttention, Dao et al. 2022) would change the order of sums.
// Tensors    x (tokens, 3, heads, width): query, key, value; blocks (count, 3): first token, tokens,
//            first query; bias (heads, 2 span - 1); y (tokens, heads, width).
// Work       A work-item (attention_cpu.h) or a work-group of 128 (attention_gpu.h) a block of queries of
//            one head. The C twin: attention/c/attention.h.
// Tuning     TSR_MAX_TOKENS (128, 256, 512): the most keys of a text; set by OpenCLAttention.swift, as
//            all others.
//
//   q (block) x k'  ->  scores (block, tokens)  ->  softmax by rows  ->  x v  ->  y (block)
//
// Rules      4 (both products), 5 (softmax): the bits are those of two products and the softmax between
//            them.
#include "attention/attention_cpu.h"
#include "attention/attention_gpu.h"
