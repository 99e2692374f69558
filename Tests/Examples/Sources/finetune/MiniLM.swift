// SPDX-License-Identifier: Apache-2.0
import TesseraNN
import TesseraText

/// A BERT of six blocks of this library's layers; the last one and a head of two classes are trained.
final class MiniLM {
  /// Hidden states (rows, tokens, width) of frozen blocks, and where tokens are.
  struct States {
    let hidden: Tensor, mask: Tensor
  }

  let lastBlock: TransformerEncoderBlock, head: Linear
  private let device: any Backend, tokenizer: SubwordTokenizer
  private let words: Embedding, places: Embedding, types: Embedding, norm: LayerNorm
  private let blocks: [TransformerEncoderBlock]
  private static let length = 48

  /// The encoder of a folder of Hugging Face's.
  init(folder path: String, _ device: any Backend) throws {
    let folder = try EncoderFolder(path)
    let configuration = try folder.configuration()
    tokenizer = try SubwordTokenizer(folder: folder, configuration: configuration)
    let file = try TensorFile.open(folder.file("model.safetensors"))
    let draw = Initializer(device: device, seed: 1)
    let width = configuration.hidden
    let prefix = file.contains("bert.embeddings.word_embeddings.weight") ? "bert." : ""
    words = try Embedding(try file.shape(prefix + "embeddings.word_embeddings.weight")[0], width, draw)
    places = try Embedding(try file.shape(prefix + "embeddings.position_embeddings.weight")[0], width, draw)
    types = try Embedding(2, width, draw)
    norm = try LayerNorm(width, eps: configuration.eps, draw)
    blocks = try (0..<configuration.layers).map { _ in
      try TransformerEncoderBlock(
        width, heads: configuration.heads, hidden: configuration.intermediate, dropout: 0.1, normFirst: false,
        eps: configuration.eps, draw)
    }
    (lastBlock, head, self.device) = (blocks[blocks.count - 1], try Linear(width, 2, draw), device)
    let embeddings =
      [
        ("word_embeddings", words), ("position_embeddings", places), ("token_type_embeddings", types),
        ("LayerNorm", norm),
      ] as [(String, any Module)]
    for (name, module) in embeddings {
      try load(module, file) { [prefix + "embeddings.\(name).\($0)"] }
    }
    for (number, block) in blocks.enumerated() {
      try load(block, file) { Self.names(of: $0).map { prefix + "encoder.layer.\(number).\($0)" } }
    }
  }

  /// Hugging Face's names of what PyTorch's block calls so: of three that are one there in their order.
  private static func names(of name: String) -> [String] {
    let kind = name.hasSuffix("weight") ? "weight" : "bias"
    switch name {
    case "self_attn.in_proj_weight", "self_attn.in_proj_bias":
      return ["query", "key", "value"].map { "attention.self.\($0).\(kind)" }
    case "self_attn.out_proj.\(kind)": return ["attention.output.dense.\(kind)"]
    case "linear1.\(kind)": return ["intermediate.dense.\(kind)"]
    case "linear2.\(kind)": return ["output.dense.\(kind)"]
    case "norm1.\(kind)": return ["attention.output.LayerNorm.\(kind)"]
    default: return ["output.LayerNorm.\(kind)"]
    }
  }

  /// Fills a module from a file, each tensor from those that lie one after another in it.
  private func load(_ module: any Module, _ file: TensorFile, _ names: (String) -> [String]) throws {
    for (name, state) in module.state {
      let parts = names(name)
      var shape = state.tensor.shape
      shape[0] /= parts.count
      for (number, part) in parts.enumerated() {
        let offset = number * shape.reduce(1, *)
        try file.copy(part, shape: shape, to: state.tensor, offset: offset, on: device)
      }
    }
  }

  /// What all blocks but the last make of texts; nothing is recorded.
  func frozen(_ texts: [String]) throws -> States {
    let tokens = texts.map { tokenizer.encode($0, limit: Self.length) }
    let length = tokens.map(\.count).max() ?? 1
    let ids = tokens.flatMap { $0 + [Int32](repeating: 0, count: length - $0.count) }
    let seen = tokens.flatMap { row in (0..<length).map { Float($0 < row.count ? 1 : 0) } }
    let context = Context(device: device)
    let mask = try context.variable(seen, [texts.count, length])
    let place = try places(Variable(try device.tensor((0..<length).map { Int32($0) })), context)
    let type = try types(Variable(try device.tensor([0] as [Int32])), context)
    let word = try words(Variable(try device.tensor(ids, [texts.count, length])), context)
    var x = try norm(try word + place + type, context)
    for block in blocks.dropLast() { x = try block(x, mask: mask, context) }
    return States(hidden: x.value, mask: mask.value)
  }

  /// Logits (rows, 2): the last block, the mean over tokens, the head.
  func logits(_ states: States, _ context: Context) throws -> Variable {
    let mask = context.variable(states.mask)
    let x = try lastBlock(context.variable(states.hidden), mask: mask, context)
    let seen = try mask.reshaped(mask.shape + [1])
    return try head(try (x * seen).sum(1) / seen.sum(1), context)
  }
}
