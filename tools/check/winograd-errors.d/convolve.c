// SPDX-License-Identifier: Apache-2.0
// One convolution or gradient by the package's own CPU kernels, for tools/check/winograd-errors: the direct
// sum (rules 4 and 6) or by fewer multiplications (rule 11). It fills the kernels' plans as
// CPUConvBlocked.swift and CPUWinograd.swift do, for one thread: threads, blocks of tiles and instruction
// sets change no bit.
//   clang -O2 -std=gnu2x -fPIC -shared -IKernels -IKernels/include convolve.c Kernels/isa/*.c -o convolve.so
#include "include/cpu_kernels.h"

#include <limits.h>
#include <stdlib.h>

// What is asked for, as the script knows it too.
enum { FORWARD = 0, FOR_DATA = 1, FOR_WEIGHTS = 2 };
enum { DONE = 0, OUT_OF_MEMORY = 1, TOO_LARGE = 2, WRONG = 3 };

// A convolution of stride 1 with a square kernel, without bias and activation. x (batch, channels, height,
// width), w (outputs, channels, taps, taps), y (batch, outputs, rows, columns).
typedef struct {
  int batch, channels, height, width, outputs, taps, padding;
} convolution;

static int rows_of(const convolution *c) { return c->height + 2 * c->padding - c->taps + 1; }
static int columns_of(const convolution *c) { return c->width + 2 * c->padding - c->taps + 1; }
static int parts(int count, int size) { return (count + size - 1) / size; }

// Floats that kernels read and write in vectors; null for none left.
static float *floats(int64_t count) {
  const size_t bytes = ((size_t)count * sizeof(float) + 4095) / 4096 * 4096;
  return aligned_alloc(4096, bytes > 0 ? bytes : 4096);
}

static tsr_conv_params direct_params(const convolution *c) {
  return (tsr_conv_params){.batch = c->batch,
                           .in_channels = c->channels,
                           .height = c->height,
                           .width = c->width,
                           .out_channels = c->outputs,
                           .kernel_h = c->taps,
                           .kernel_w = c->taps,
                           .stride_h = 1,
                           .stride_w = 1,
                           .pad_h = c->padding,
                           .pad_w = c->padding,
                           .dilation_h = 1,
                           .dilation_w = 1,
                           .groups = 1,
                           .out_h = rows_of(c),
                           .out_w = columns_of(c)};
}

// The direct sum, forward (from x) or for the data (from dy).
static int direct(const tsr_cpu_table *table, const convolution *c, int direction, const float *from,
                  const float *w, float *to) {
  tsr_conv_blocked_plan plan = {.kind = direction == FORWARD ? TSR_B_CONV : TSR_B_CONV_GRAD_DATA,
                                .workers = 1,
                                .conv = direct_params(c),
                                .x = from,
                                .w = w,
                                .y = to};
  if (!table->conv_blocked_fits(&plan.conv, plan.kind)) return TOO_LARGE;
  plan.packed = floats(table->conv_blocked_packed_count(&plan));
  float *const scratch = floats(table->conv_blocked_scratch_count(&plan));
  const int made = plan.packed && scratch;
  if (made) {
    const int outputs = direction == FORWARD ? c->outputs : c->channels;
    table->conv_blocked_pack(&plan, 0, parts(outputs, table->tile_columns));
    table->conv_blocked_work(&plan, scratch);
  }
  free(scratch);
  free(plan.packed);
  return made ? DONE : OUT_OF_MEMORY;
}

static int direct_weights(const tsr_cpu_table *table, const convolution *c, const float *x, const float *dy,
                          float *dw) {
  tsr_blocked_weight_plan plan = {.blocks = 1, .conv = direct_params(c), .x = x, .dy = dy};
  if (!table->blocked_weight_fits(&plan.conv)) return TOO_LARGE;
  plan.partial = floats(table->blocked_weight_partial_count(&plan));
  float *const scratch = floats(table->blocked_weight_scratch_count(&plan));
  const int made = plan.partial && scratch;
  if (made) {
    table->blocked_weight_work(&plan, scratch);
    table->blocked_weight_reduce(&plan, dw, 0, c->channels);
  }
  free(scratch);
  free(plan.partial);
  return made ? DONE : OUT_OF_MEMORY;
}

// The tiles of what is made: of y, or of x in the gradient for the data, which reads dy with a mirrored
// kernel and the padding that is left over.
static tsr_winograd_params tiled_params(const convolution *c, int direction) {
  const int m = (c->taps == 2 ? 4 : 6) + 1 - c->taps, rows = rows_of(c), columns = columns_of(c);
  tsr_winograd_params p = {.batch = c->batch, .taps = c->taps};
  if (direction == FOR_DATA) {
    p.channels = c->outputs, p.height = rows, p.width = columns;
    p.outputs = c->channels, p.rows = c->height, p.columns = c->width;
    p.top = p.left = c->taps - 1 - c->padding;
    p.mirrored = 1;
  } else {
    p.channels = c->channels, p.height = c->height, p.width = c->width;
    p.outputs = c->outputs, p.rows = rows, p.columns = columns;
    p.top = p.left = c->padding;
  }
  p.tile_rows = parts(p.rows, m);
  p.tile_columns = parts(p.columns, m);
  return p;
}

static int tiled(const tsr_cpu_table *table, const convolution *c, int direction, const float *from,
                 const float *w, float *to) {
  tsr_winograd_plan plan = {.params = tiled_params(c, direction), .x = from, .w = w, .y = to};
  plan.params.block = table->tile_rows;
  plan.params.parts = 1;
  plan.params.panels = parts(plan.params.outputs, table->tile_columns);
  const tsr_winograd_params *const p = &plan.params;
  const int points = tsr_winograd_points(p);
  plan.packed = floats((int64_t)points * points * p->panels * p->channels * table->tile_columns);
  float *const scratch = floats(table->winograd_scratch_count(&plan.params));
  const int made = plan.packed && scratch;
  if (made) {
    table->winograd_pack(&plan, 0, plan.params.panels * plan.params.channels);
    table->winograd_work(&plan, scratch);
  }
  free(scratch);
  free(plan.packed);
  return made ? DONE : OUT_OF_MEMORY;
}

static int tiled_weights(const tsr_cpu_table *table, const convolution *c, const float *x, const float *dy,
                         float *dw) {
  const int most = 64, lanes = table->tile_columns / 2;  // channels of a task, those of the input in vectors
  const int64_t weights = (int64_t)c->outputs * c->channels * c->taps * c->taps;
  tsr_winograd_weight_plan plan = {.params = tiled_params(c, FOR_WEIGHTS), .x = x, .dy = dy};
  plan.params.high = c->outputs < most ? c->outputs : most;
  plan.params.wide = parts(c->channels < most ? c->channels : most, lanes) * lanes;
  plan.groups = parts(c->batch, TSR_BATCH_GROUP);
  plan.partial = floats(plan.groups * weights);
  float *const scratch = floats(table->grad_weight_winograd_scratch_count(&plan.params));
  const int made = plan.partial && scratch;
  if (made) {
    table->grad_weight_winograd_work(&plan, scratch);
    table->grad_weight_winograd_reduce(&plan, dw, 0, weights);
  }
  free(scratch);
  free(plan.partial);
  return made ? DONE : OUT_OF_MEMORY;
}

// The name of the instruction set that is used.
const char *instruction_set(void) { return tsr_cpu_table_at(0)->name; }

// y of x and w, dx of dy and w, or dw of x and dy, by direction; DONE, or why there is none. The caller's
// arrays have the convolution's extents; this checks that there can be such arrays.
int convolve(const convolution *c, int direction, int fewer, const float *first, const float *second,
             float *result) {
  const int extents[] = {c->batch, c->channels, c->height, c->width, c->outputs};
  for (unsigned i = 0; i < sizeof extents / sizeof *extents; i++)
    if (extents[i] < 1 || extents[i] > SHRT_MAX) return WRONG;
  if (c->taps < 2 || c->taps > 5 || c->padding < 0 || c->padding >= c->taps) return WRONG;
  if (rows_of(c) < 1 || columns_of(c) < 1 || direction < FORWARD || direction > FOR_WEIGHTS) return WRONG;
  const int64_t pixels = (int64_t)c->batch * (c->height + c->taps) * (c->width + c->taps);
  if (pixels > INT_MAX / (c->channels > c->outputs ? c->channels : c->outputs)) return TOO_LARGE;
  const tsr_cpu_table *const table = tsr_cpu_table_at(0);
  if (direction == FOR_WEIGHTS)
    return fewer ? tiled_weights(table, c, first, second, result)
                 : direct_weights(table, c, first, second, result);
  return fewer ? tiled(table, c, direction, first, second, result)
               : direct(table, c, direction, first, second, result);
}
