// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TesseraCompute
import TesseraData
import TesseraImages
import TesseraPipeline
import TesseraText
import TesseraVision

// Options that are named in the libraries are taken by these names: `--help` lists them, another name is
// refused with all of them (`Refusal`).

extension Architecture: ExpressibleByArgument {}
extension ColumnScaling: ExpressibleByArgument {}
extension DataParallelMode: ExpressibleByArgument {}
extension Discretization: ExpressibleByArgument {}
extension FeatureMetric: ExpressibleByArgument {}
extension FittedRows: ExpressibleByArgument {}
extension Head: ExpressibleByArgument {}
extension ImageChannels: ExpressibleByArgument {}
extension ImageNormalization: ExpressibleByArgument {}
extension LayoutMethod: ExpressibleByArgument {}
extension MissingValues: ExpressibleByArgument {}
extension NetworkStart: ExpressibleByArgument {}
extension SentencePooling: ExpressibleByArgument {}
extension Products: ExpressibleByArgument {}
extension Quotes: ExpressibleByArgument {}
extension Recipe: ExpressibleByArgument {}
extension Schedule: ExpressibleByArgument {}
extension SplitMethod: ExpressibleByArgument {}
extension BackboneMode: ExpressibleByArgument {}
extension TSNE.Start: ExpressibleByArgument {}
extension TrainingArguments.Bypass: ExpressibleByArgument {}

extension TextEncoding: ExpressibleByArgument {
  /// An encoding by its name, or another that is usual for it.
  public init?(argument: String) {
    guard let encoding = try? TextEncoding(named: argument) else { return nil }
    self = encoding
  }
}
