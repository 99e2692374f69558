extension Catalogue {
  /// Elementwise maps on ordinary, special and arbitrary bit patterns.
  static var mapCases: [CatalogueCase] {
    let counts = [0, 1, 15, 17, 1031]
    let unary = UnaryOperation.allCases.flatMap { op in
      counts.map { count in
        CatalogueCase("unary", "\(op) \(count)") { device in
          var inputs = CaseInputs(seed: 21)
          let values = inputs.withSpecials(count / 2) + inputs.anyBits(count - count / 2)
          let x = try device.tensor(values, [count])
          let y = try device.empty(count)
          try device.unary(op, x, alpha: 1.25, beta: -0.75, into: y)
          return [try device.output("y", y)]
        }
      }
    }
    let gradients = [UnaryOperation.relu, .relu6, .gelu, .tanh, .sigmoid].map { op in
      CatalogueCase("unaryGrad", "\(op) 517") { device in
        var inputs = CaseInputs(seed: 22)
        let x = try device.tensor(inputs.withSpecials(517), [517])
        let dy = try device.tensor(inputs.floats(517), [517])
        let dx = try device.empty(517)
        try device.unaryGrad(op, x, dy, into: dx)
        return [try device.output("dx", dx)]
      }
    }
    let binary = BinaryOperation.allCases.flatMap { op in
      counts.map { count in
        CatalogueCase("binary", "\(op) \(count)") { device in
          var inputs = CaseInputs(seed: 23)
          let a = try device.tensor(inputs.withSpecials(count), [count])
          let b = try device.tensor(inputs.anyBits(count), [count])
          let c = try device.empty(count)
          try device.binary(op, a, b, into: c)
          return [try device.output("c", c)]
        }
      }
    }
    let channels = BinaryOperation.allCases.flatMap { op in
      [(1, 1, 1), (3, 5, 7), (2, 64, 1), (1, 3, 130)].map { outer, channels, inner in
        CatalogueCase("binaryChannels", "\(op) \(outer)x\(channels)x\(inner)") { device in
          var inputs = CaseInputs(seed: 24)
          let p = ChannelsParameters(outer: outer, channels: channels, inner: inner)
          let a = try device.tensor(inputs.withSpecials(p.count), [p.count])
          let b = try device.tensor(inputs.floats(channels), [channels])
          let c = try device.empty(p.count)
          try device.binaryChannels(op, p, a, b, into: c)
          return [try device.output("c", c)]
        }
      }
    }
    return unary + gradients + binary + channels
  }
}
