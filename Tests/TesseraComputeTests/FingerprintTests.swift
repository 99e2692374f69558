// SPDX-License-Identifier: Apache-2.0
import CSHA256
import TestSupport
import Testing

@testable import TesseraCompute

/// SHA-256 against the vectors of FIPS 180-4 and NIST's CAVP, by the processor's instructions and in plain C.
@Suite struct FingerprintTests {
  private func digest(_ bytes: [UInt8], by parts: Int = .max) -> String {
    var print = Fingerprint()
    var from = 0
    while from < bytes.count {
      let to = parts < bytes.count - from ? from + parts : bytes.count
      bytes[from..<to].withUnsafeBytes { print.add($0) }
      from = to
    }
    return print.digits()
  }

  @Test func publishedVectors() {
    let vectors = [
      "": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "abc": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq":
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    ]
    for (text, wanted) in vectors { #expect(digest(Array(text.utf8)) == wanted, "\(text)") }
    let million = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
    let wanted = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    for part in [1, 63, 64, 65, 1000, .max] { #expect(digest(million, by: part) == wanted, "\(part)") }
  }

  @Test func plainAndAcceleratedCompressionAgree() {
    var drawn = SystemRandomNumberGenerator()
    for count in 0..<200 {
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &drawn) }
      // The same padding by hand, through the plain compression.
      var padded = bytes + [0x80]
      while padded.count % 64 != 56 { padded.append(0) }
      for shift in stride(from: 56, through: 0, by: -8) { padded.append(UInt8(((count * 8) >> shift) & 255)) }
      var state = tsr_sha256_start()
      withUnsafeMutableBytes(of: &state.state) {
        let words = $0.assumingMemoryBound(to: UInt32.self)
        tsr_sha256_compress_plain(words.baseAddress, padded, padded.count / 64)
      }
      let words = withUnsafeBytes(of: &state.state) { Array($0.bindMemory(to: UInt32.self)) }
      let wanted = words.map { word in
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
      }.joined()
      #expect(digest(bytes) == wanted, "\(count) bytes")
    }
  }

  /// A tensor's digest is of its type, shape and bits, wherever it lies, and however many pieces it is read in.
  @Test func tensorsByTypeShapeAndBits() throws {
    let cpu = try CPUBackend(threads: 1)
    let values = (0..<(1 << 20) + 3).map { Float($0) * 0.5 }
    let tensor = try cpu.tensor(values, [values.count])
    var whole = Fingerprint()
    whole.add("F32 [\(values.count)]")
    values.withUnsafeBytes { whole.add($0) }
    #expect(try cpu.fingerprint(of: tensor) == whole.digits())
    var other = values
    other[1 << 20] = -0.0
    var prints = Set<String>()
    prints.insert(try cpu.fingerprint(of: tensor))
    prints.insert(try cpu.fingerprint(of: cpu.tensor(other, [other.count])))
    for shape in [[4], [2, 2], [4, 1]] {
      prints.insert(try cpu.fingerprint(of: cpu.tensor([1, 2, 3, 4] as [Float], shape)))
    }
    let bits = [Float(1), 2, 3, 4].map { Int32(bitPattern: $0.bitPattern) }
    prints.insert(try cpu.fingerprint(of: cpu.tensor(bits, [4])))
    prints.insert(try cpu.fingerprint(of: cpu.tensor([Float](), [0])))
    #expect(prints.count == 7)
  }

  @Test(.enabled(if: TestDevices.hasOpenCL), .tags(.opencl)) func tensorsOfADeviceHaveTheCPUsDigest() throws {
    let (cpu, device) = (try CPUBackend(threads: 1), try OpenCLBackend(TestDevices.first()))
    let values = [0, -0.0, 1, .nan, .infinity, .leastNonzeroMagnitude] as [Float]
    #expect(
      try cpu.fingerprint(of: cpu.tensor(values, [2, 3]))
        == device.fingerprint(of: device.tensor(values, [2, 3])))
  }
}
