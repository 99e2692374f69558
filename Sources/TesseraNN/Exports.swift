// SPDX-License-Identifier: Apache-2.0

// One import is enough: tensors, devices and networks.
@_exported import TesseraCompute
