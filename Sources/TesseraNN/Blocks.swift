// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Local response normalisation.
public final class LocalResponseNorm: Module {
  let size: Int

  /// Over `size` neighbouring channels, with the published alpha, beta and k (1e-4, 0.75, 1).
  public init(_ size: Int) { self.size = size }

  public func callAsFunction(_ x: Variable, _ context: Context) throws -> Variable {
    try context.localResponseNorm(x, size: size)
  }
}

/// A residual connection: body(x) + shortcut(x), then an activation if there is one (He et al. 2016).
public final class Residual: Module {
  let body: Sequential, shortcut: Sequential?, activation: UnaryOperation?

  /// A block; without a shortcut x itself is added.
  public init(_ body: Sequential, shortcut: Sequential? = nil, activation: UnaryOperation? = nil) {
    (self.body, self.shortcut, self.activation) = (body, shortcut, activation)
  }

  public func callAsFunction(_ x: Variable, _ context: Context) throws -> Variable {
    let y = try body(x, context)
    let sum = try context.add(y, try shortcut.map { try $0(x, context) } ?? x)
    return try activation.map { try context.activation($0, sum) } ?? sum
  }

  /// The body's state, then the shortcut's under `downsample`.
  public var state: [(name: String, state: ModuleState)] {
    body.state + (shortcut?.state.map { ("downsample.\($0.name)", $0.state) } ?? [])
  }
}

/// ShuffleNet V2's unit (Ma et al. 2018, figure 3 c and d): two branches side by side, channels shuffled.
/// Without a first branch, the first half of the channels passes and the second takes the other branch.
public final class ShuffleUnit: Module {
  let first: Sequential?, second: Sequential

  /// A unit from its branches.
  public init(first: Sequential? = nil, second: Sequential) { (self.first, self.second) = (first, second) }

  public func callAsFunction(_ x: Variable, _ context: Context) throws -> Variable {
    let channels = try Channels(x, "ShuffleUnit").channels, half = channels / 2
    let (a, b) =
      if let first {
        (try first(x, context), try second(x, context))
      } else {
        (
          try context.channels(0..<half, of: x),
          try second(try context.channels(half..<channels, of: x), context)
        )
      }
    return try context.channelShuffle(try context.concatenateChannels(a, b), groups: 2)
  }

  public var state: [(name: String, state: ModuleState)] {
    (first?.state.map { ("branch1.\($0.name)", $0.state) } ?? [])
      + second.state.map { ("branch2.\($0.name)", $0.state) }
  }
}
