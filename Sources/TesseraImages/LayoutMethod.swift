// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// How features get places in the plane.
public enum LayoutMethod: String, NamedOption {
  /// t-SNE: neighbours stay neighbours.
  case tsne
  /// The first two principal components.
  case pca
}
