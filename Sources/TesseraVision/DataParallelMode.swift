// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Whether training splits each batch among several devices, at borders of groups of samples. Changes no bit.
public enum DataParallelMode: String, NamedOption {
  /// Where a few steps of the training itself show that it is faster: the main device alone, even parts,
  /// parts by speed.
  case measured
  /// In even parts.
  case always
  /// The main device has every batch alone.
  case never
}

/// Which devices share batches, and how.
struct BatchDivision: Equatable, Sendable {
  /// Numbers of devices, the main one's (0) first, and their shares' sizes relative to one another.
  let devices: [Int], weights: [Double]

  /// The main device alone.
  static let alone = BatchDivision(devices: [0], weights: [1])

  /// Even parts for so many devices.
  static func even(_ devices: Int) -> BatchDivision {
    BatchDivision(devices: Array(0..<devices), weights: Array(repeating: 1, count: devices))
  }

  /// Shares by speed, without devices that would get no group of a batch.
  ///
  /// - Parameters:
  ///   - seconds: what each of these devices took for its part of a batch.
  ///   - batch: samples, in groups of `group`.
  func bySpeed(_ seconds: [Double], batch: Int, group: Int) -> BatchDivision {
    let groups = parts(of: batch, group: group).map { ($0.count + group - 1) / group }
    let speeds = zip(groups, seconds).map { $1 > 0 ? Double($0) / $1 : 0 }
    let counts = BatchDivision(devices: devices, weights: speeds).parts(of: batch, group: group).map(\.count)
    let kept = devices.indices.filter { counts[$0] > 0 || devices[$0] == 0 }
    return BatchDivision(devices: kept.map { devices[$0] }, weights: kept.map { speeds[$0] })
  }

  /// Each device's samples of a batch: whole groups, but for the batch's last.
  func parts(of batch: Int, group: Int) -> [Range<Int>] {
    let groups = (batch + group - 1) / group
    let all = weights.reduce(0, +)
    var (begin, sum) = (0, 0.0)
    return weights.indices.map { index in
      sum += weights[index]
      let share = all > 0 ? sum / all : 1
      let last = index == weights.count - 1
      let end = last ? batch : max(begin, min(batch, Int((Double(groups) * share).rounded()) * group))
      defer { begin = end }
      return begin..<end
    }
  }
}
