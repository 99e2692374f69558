// SPDX-License-Identifier: Apache-2.0
import TestSupport
import TesseraCompute

@testable import TesseraNN

extension SharedParameterTests {
  /// Parameters that are repeated, taken and multiplied by operators, over batches that devices share.
  static let tensorCases: [Case] = [
    Case(testDescription: "operators that repeat parameters", row: [3, 4], classes: 4) { _, device in
      let parameters = try [[4], [3, 1], [1], [3, 4]].enumerated().map { index, shape in
        Parameter(try device.tensor(drawn(UInt64(60 + index), shape.reduce(1, *), 0.5, 2), shape))
      }
      return Network(parameters: parameters) { x, context in
        let (bias, scale) = (context(parameters[0]), context(parameters[1]))
        let (number, whole) = (context(parameters[2]), context(parameters[3]))
        let y = try ((try context(x) + bias) * scale / number - whole).tanh()
        return try (y * bias.exp()).sum(1) * number
      }
    },
    Case(testDescription: "products of rows by weights", row: [70, 3], classes: 4) { _, device in
      let weights = try [[3, 5], [5, 4], [4, 5]].enumerated().map { index, shape in
        Parameter(try device.tensor(drawn(UInt64(70 + index), shape.reduce(1, *)), shape))
      }
      return Network(parameters: weights) { x, context in
        let hidden = try context(x).matmul(context(weights[0])).gelu()
        let logits = try hidden.matmul(context(weights[1]))
        let tied = try context.linear(hidden, weight: context(weights[2]), bias: nil)
        return try (logits + tied).mean(1)
      }
    },
    Case(testDescription: "a table taken from", row: [5], classes: 3) { _, device in
      let table = Parameter(try device.tensor(drawn(80, 7 * 3), [7, 3]))
      return Network(parameters: [table]) { x, context in
        // Numbers of rows by the batch's own values.
        let ids = try context.device.floats(x.value).map { Int32(($0 + 1) * 3.49) }
        let taken = try context(table).taking(try context.device.tensor(ids, x.shape))
        return try (taken * taken).sum(1)
      }
    },
    Case(testDescription: "a transformer's block", row: [6, 4], classes: 4) { draw, _ in
      let block = try TransformerEncoderBlock(4, heads: 2, hidden: 6, dropout: 0.2, draw)
      let norm = try LayerNorm(4, draw)
      return Network(parameters: (block.parameters + norm.parameters).map(\.parameter)) { x, context in
        try norm(try block(x, context), context).mean(1)
      }
    },
  ]
}
