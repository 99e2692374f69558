// SPDX-License-Identifier: Apache-2.0
import TesseraNN

/// Words and places, two blocks, the mean over the words, two classes.
final class Classifier: Module {
  private let words: Embedding, places: Embedding
  private let blocks: [TransformerEncoderBlock], norm: LayerNorm, head: Linear

  init(words count: Int, _ draw: Initializer) throws {
    let width = 32
    words = try Embedding(count, width, draw)
    places = try Embedding(Reviews.length, width, draw)
    blocks = try (0..<2).map { _ in
      try TransformerEncoderBlock(width, heads: 4, hidden: 64, dropout: 0.1, draw)
    }
    norm = try LayerNorm(width, draw)
    head = try Linear(width, 2, draw)
  }

  func callAsFunction(_ ids: Variable, _ context: Context) throws -> Variable {
    let whole = [Float](repeating: 1, count: ids.value.count)
    return try callAsFunction(ids, mask: try context.variable(whole, ids.shape), context)
  }

  /// Logits (rows, 2) of tokens (rows, length); the mask is 0 where there is none.
  func callAsFunction(_ ids: Variable, mask: Variable, _ context: Context) throws -> Variable {
    let numbers = (0..<Reviews.length).map { Int32($0) }
    let place = try places(Variable(try context.device.tensor(numbers)), context)
    var x = try words(ids, context) + place * 0.1
    for block in blocks { x = try block(x, mask: mask, context) }
    let seen = try mask.reshaped(mask.shape + [1])
    let mean = try (norm(x, context) * seen).sum(1) / seen.sum(1)
    return try head(mean, context)
  }

  var state: [(name: String, state: ModuleState)] {
    let parts: [(String, any Module)] =
      [("words", words), ("places", places)] + blocks.enumerated().map { ("blocks.\($0)", $1) }
      + [("norm", norm), ("head", head)]
    return parts.flatMap { name, module in module.state.map { ("\(name).\($0.name)", $0.state) } }
  }
}
