// SPDX-License-Identifier: Apache-2.0
// Convolutions by fewer multiplications, and their gradients.
//
// Algorithm  Winograd's minimal filtering (Lavin and Gray 2016): conv/winograd.h. A CPU device takes a block
//            of tiles through all of it in its scratch; a GPU makes V of many tiles, multiplies the points
//            by tsr_matmul, and makes y. The C twins: conv/c/winograd.h, conv/c/grad_weight_winograd.h.
// Tensors    x (batch, channels, height, width); w (outputs, channels, r, r), or, mirrored, (channels,
//            outputs, r, r); y and dy (batch, outputs, rows, columns); dw as w, not mirrored. U, V, M, D,
//            S, and scratch: winograd_cpu.h, winograd_gpu.h.
// Work       CPU devices: work-items that take blocks in turn. GPUs: a work-item a tile of a channel.
// Tuning     TSR_WINO_TAPS (2 to 5; default 3): r, the one size of the program. TSR_VECTORS (CPU devices).
//
//   forward, for the data   w -> U                  x -> V,  M = U V at each point,  M -> y
//   for the weights         x -> V,  dy -> D        S = D V' at each point,  S -> dw
//
// Rules      4, 6, 9, 10, 11.
#include "conv/winograd_cpu.h"
#include "conv/winograd_gpu.h"
