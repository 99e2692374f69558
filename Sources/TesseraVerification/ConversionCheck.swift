// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// Conversions of element types over all inputs: a device against the CPU for equality, the CPU against what the
/// types' definitions give in float64.
public enum ConversionCheck {
  /// A conversion from or to float32.
  public struct Conversion: Sendable {
    let from: ElementType, to: ElementType

    /// Its name, such as "float32 to float16".
    public var name: String { "\(from) to \(to)" }
  }

  /// From float32 to each other type, and back.
  public static let conversions: [Conversion] = ElementType.allCases.filter { $0 != .float32 }.flatMap {
    [Conversion(from: .float32, to: $0), Conversion(from: $0, to: .float32)]
  }

  /// Checks every `stride`-th bit pattern of 32 bits, all of smaller types.
  ///
  /// - Parameters:
  ///   - conversion: one of `conversions`.
  ///   - stride: 1 to 2^32.
  ///   - cpu: whose bits are compared with the definition.
  ///   - device: whose bits are compared with the CPU's.
  ///   - progress: called with the inputs done and their number.
  /// - Returns: the error is 0, or infinite where a bit is not what the definition gives.
  /// - Throws: `TesseraError` for another stride, and what the devices do.
  public static func run(
    _ conversion: Conversion, stride: Int, cpu: CPUBackend, device: any Backend,
    progress: (Int, Int) -> Void = { _, _ in }
  ) throws -> FunctionCheck.Result {
    guard (1...1 << 32).contains(stride) else {
      throw TesseraError.input("conversion check", found: "a stride of \(stride)", wanted: "1 to 2^32")
    }
    let patterns = 1 << (8 * conversion.from.byteCount)
    let step = conversion.from.byteCount == 4 ? stride : 1
    let total = (patterns + step - 1) / step
    let sameDevice = device.info.instructionSet == cpu.instructionSet
    var (mismatches, wrong) = (0, [UInt32]())
    for begin in Swift.stride(from: 0, to: total, by: 1 << 22) {
      let count = min(1 << 22, total - begin)
      let input = (begin..<begin + count).map { UInt32(truncatingIfNeeded: $0 * step) }
      let output = try results(conversion, input, cpu)
      if !sameDevice {
        let other = try results(conversion, input, device)
        mismatches += zip(output, other).count { $0 != $1 }
      }
      wrong += differing(conversion, input, output, cpu)
      progress((begin + count) * step, patterns)
    }
    return FunctionCheck.Result(
      name: conversion.name, worstUlp: wrong.isEmpty ? 0 : .infinity, bound: 0,
      worstInput: wrong.first.map { value(conversion.from, $0) } ?? 0, mismatches: mismatches, inputs: total)
  }

  private static func results(
    _ conversion: Conversion, _ input: [UInt32], _ device: any Backend
  ) throws -> [UInt32] {
    let x = try device.allocate([input.count], conversion.from)
    try packed(input, conversion.from.byteCount).withUnsafeBytes {
      try device.upload(
        UnsafeRawBufferPointer(rebasing: $0[..<(input.count * conversion.from.byteCount)]), to: x, offset: 0)
    }
    let y = try device.converted(x, to: conversion.to)
    let size = conversion.to.byteCount
    var bytes = [UInt8](repeating: 0, count: input.count * size)
    try bytes.withUnsafeMutableBytes { try device.download(y, offset: 0, into: $0) }
    return bytes.withUnsafeBytes { bytes in
      (0..<input.count).map {
        switch size {
        case 4: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)
        case 2: UInt32(bytes.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self))
        default: UInt32(bytes[$0])
        }
      }
    }
  }

  /// The low bytes of words, side by side.
  private static func packed(_ words: [UInt32], _ size: Int) -> [UInt32] {
    guard size < 4 else { return words }
    var result = [UInt32](repeating: 0, count: (words.count * size + 3) / 4)
    result.withUnsafeMutableBytes { bytes in
      for (index, word) in words.enumerated() {
        for byte in 0..<size {
          bytes[index * size + byte] = UInt8(truncatingIfNeeded: word >> (8 * UInt32(byte)))
        }
      }
    }
    return result
  }

  /// Inputs whose result is not what the definition gives.
  private static func differing(
    _ conversion: Conversion, _ input: [UInt32], _ output: [UInt32], _ cpu: CPUBackend
  ) -> [UInt32] {
    let parts = 4 * cpu.threads
    let found = Locked<[UInt32]>([])
    cpu.parallel(parts) { begin, end in
      for part in begin..<end {
        let range = input.count * part / parts..<input.count * (part + 1) / parts
        let wrong = range.filter { !isRight(conversion, input[$0], output[$0]) }
        if !wrong.isEmpty { found.withLock { $0 += wrong.map { input[$0] } } }
      }
    }
    return found.withLock { $0.sorted() }
  }

  private static func isRight(_ conversion: Conversion, _ input: UInt32, _ output: UInt32) -> Bool {
    let x = exact(conversion.from, input)
    switch conversion.to {
    case .float32:
      return x.isNaN ? output == 0x7fc0_0000 : Float(x).bitPattern == output
    case .float16: return output == narrow(x, fraction: 10, least: -14, largest: 65504, nan: 0x7e00)
    case .bfloat16:
      return output == narrow(x, fraction: 7, least: -126, largest: 0x1.fep127, nan: 0x7fc0)
    case .int8: return output == UInt32(UInt8(bitPattern: whole(x)))
    case .uint8: return output == UInt32(whole(x) as UInt8)
    case .int32: return output == UInt32(bitPattern: whole(x))
    }
  }

  /// What a bit pattern stands for.
  private static func exact(_ type: ElementType, _ bits: UInt32) -> Double {
    switch type {
    case .float32: Double(Float(bitPattern: bits))
    case .int32: Double(Int32(bitPattern: bits))
    case .int8: Double(Int8(bitPattern: UInt8(bits)))
    case .uint8: Double(bits)
    case .float16: small(bits, fraction: 10, bias: 15, top: 31)
    case .bfloat16: small(bits, fraction: 7, bias: 127, top: 255)
    }
  }

  private static func value(_ type: ElementType, _ bits: UInt32) -> Float { Float(exact(type, bits)) }

  /// A number of 16 bits by IEEE 754's definition.
  private static func small(_ bits: UInt32, fraction: Int, bias: Int, top: Int) -> Double {
    let exponent = Int(bits >> UInt32(fraction)) & top
    let part = Double(bits & (1 << UInt32(fraction) - 1)) / Double(1 << fraction)
    let sign: Double = bits >> 15 == 1 ? -1 : 1
    if exponent == top { return part == 0 ? sign * .infinity : .nan }
    let one = exponent == 0 ? 0.0 : 1.0
    return sign * (one + part) * Double(sign: .plus, exponent: max(1, exponent) - bias, significand: 1)
  }

  /// The bits of the number nearest x, ties to an even last bit.
  ///
  /// - Parameters:
  ///   - fraction: bits of the fraction.
  ///   - least: the exponent of the smallest normal number.
  ///   - largest: the greatest finite number.
  ///   - nan: the type's one NaN.
  private static func narrow(
    _ x: Double, fraction: Int, least: Int, largest: Double, nan: UInt32
  ) -> UInt32 {
    if x.isNaN { return nan }
    let sign: UInt32 = x.sign == .minus ? 0x8000 : 0
    let infinity = nan & ~(1 << UInt32(fraction - 1))
    if x.isInfinite { return sign | infinity }
    if x == 0 { return sign }
    let exponent = max(Int(x.exponent), least)
    let last = Double(sign: .plus, exponent: exponent - fraction, significand: 1)
    let rounded = (abs(x) / last).rounded(.toNearestOrEven) * last
    if rounded > largest { return sign | infinity }
    // Numbers of a sign follow each other as their patterns do: units of the last place below, and above.
    let smallest = Double(sign: .plus, exponent: least, significand: 1)
    if rounded < smallest { return sign | UInt32(rounded / last) }
    let power = Int(rounded.exponent)
    let part = rounded / Double(sign: .plus, exponent: power, significand: 1) - 1
    return sign | UInt32(power - least + 1) << UInt32(fraction) | UInt32(part * Double(1 << fraction))
  }

  /// Towards zero, to the type's bounds; 0 for NaN.
  private static func whole<T: FixedWidthInteger>(_ x: Double) -> T {
    if x.isNaN { return 0 }
    return T(max(Double(T.min), min(Double(T.max), x)))
  }
}
