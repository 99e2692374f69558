// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// What becomes of the pretrained slice in training.
public enum BackboneMode: String, NamedOption {
  /// Its weights stay, in evaluation mode: an image's output never changes and is kept.
  case frozen
  /// Its weights stay, but its batch norms use the batch's statistics and move the running ones, as in the
  /// official code.
  case batchNormOnly = "moving"
  /// It is trained like the head.
  case trainable
}
