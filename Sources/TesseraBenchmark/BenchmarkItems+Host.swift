// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// What the host waits for: launches, and bytes on their way to a device and back.
extension Benchmark {
  static var hosts: [Item] {
    [1, 64].map { launch($0) }
      + ["upload", "download"].flatMap { name in [1 << 10, 1 << 18, 1 << 24].map { transfer(name, $0) } }
  }

  /// Launches of the least kernel, ReLU of one element, waited for together; the time is that of one of them. One
  /// alone is the way to the device and back. Of many in a row it is what each of them costs, be it the host or the
  /// device that is slower.
  static func launch(_ count: Int) -> Item {
    Item(
      kernel: "launch", label: "\(count)", operations: 0, bytes: 8, measure: .latency, parts: count
    ) { device in
      let x = try device.tensor([0.75 as Float], [1])
      let y = try device.empty(1)
      return (
        {
          for _ in 0..<count { try device.unary(.relu, x, alpha: 0, beta: 0, into: y) }
          try device.synchronize()
        }, y
      )
    }
  }

  /// Floats copied from the host's memory to a tensor (upload) or from it (download), each transfer waited for.
  static func transfer(_ kernel: String, _ count: Int) -> Item {
    Item(
      kernel: kernel, label: "\(count)", operations: 0, bytes: 4 * Double(count), measure: .transfer
    ) { device in
      var inputs = SplitMix64(seed: 15)
      var host = inputs.floats(count)
      guard kernel == "download" else {
        let x = try device.empty(count)
        return (
          {
            try host.withUnsafeBytes { try device.upload($0, to: x, offset: 0) }
            try device.synchronize()
          }, x
        )
      }
      let x = try device.tensor(host, [count])
      return ({ try host.withUnsafeMutableBytes { try device.download(x, offset: 0, into: $0) } }, x)
    }
  }
}
