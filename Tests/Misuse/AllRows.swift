// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// The rows of all products.
func allRows(_ device: any Backend, folder: String, others: [any Backend]) throws -> Rows {
  let rows = Rows(device, folder: folder, others: others)
  rows.memory()
  rows.contractions()
  rows.maps()
  rows.rowKernels()
  rows.normalization()
  rows.pooling()
  rows.layouts()
  rows.training()
  rows.parameters()
  rows.devices()
  rows.files()
  rows.measuring()
  rows.autograd()
  rows.functions()
  rows.layers()
  rows.broadcasts()
  rows.tensorFunctions()
  rows.trainingTools()
  rows.proofs()
  rows.text()
  rows.images()
  try rows.vision()
  try rows.pipeline()
  return rows
}
