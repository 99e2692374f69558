import Foundation
import TestSupport
import Testing

/// `tessera bench` on shapes told as text.
@Suite struct BenchTests {
  private struct Report: Decodable {
    struct Result: Decodable {
      let kernel: String, label: String, p50: Double?, p95: Double?, gflops: Double?
    }
    let device: String, results: [Result]
  }

  private func bench(_ kernel: String, _ shapes: String...) throws -> Command.Result {
    try Command.run(["bench", kernel, "--device", "cpu", "--json"] + shapes.flatMap { ["--shape", $0] })
  }

  @Test(arguments: [
    ("matmul", "7x5x3"), ("matmul", "7x5x3t"), ("conv2d", "b2 4->6 3x2 s2 p1 g2 on 9x8"),
    ("conv2dGradData", "3->2 1x1 on 5x5"), ("conv2dGradWeight", "2x2 on 7x7 3->2 d2 b3"), ("softmax", "3x65"),
    ("layerNorm", "3x65"), ("gelu", "3x65"), ("copy", "3x65"), ("squaredDistances", "33x7"),
    ("affinities", "97"),
    ("tsneForces", "97"),
  ])
  func aShapeIsMeasured(_ kernel: String, _ shape: String) throws {
    let found = try bench(kernel, shape)
    #expect(found.code == 0, "\(found.errors)")
    let results = try JSONDecoder().decode(Report.self, from: Data(found.output.utf8)).results
    #expect(results.count == 1 && results[0].kernel == kernel)
    let (middle, late) = (try #require(results[0].p50), try #require(results[0].p95))
    #expect(middle > 0 && late >= middle)
  }

  @Test(arguments: [
    ("matmul", "7x5"), ("matmul", "7x5xt"), ("matmul", "0x5x3"), ("matmul", "1048576x1048576x1048576"),
    ("matmul", "9999999999999999999x1x1"), ("conv2d", "3x3 on 9x9"), ("conv2d", "4->6 3x3 g4 on 9x9"),
    ("conv2d", "4->6 3x3"), ("conv2d", "4->6 3x3 on"), ("conv2d", "4->6 11x11 on 9x9"),
    ("conv2d", "4->6 3x3 p3 on 9x9"), ("conv2d", "4->6 3x3 s0 on 9x9"), ("conv2d", "4->6 3x3 q1 on 9x9"),
    ("conv2d", "b65536 1024->1024 1x1 on 9x9"), ("softmax", "3"), ("copy", "3x-4"), ("affinities", "4x4"),
  ])
  func anImpossibleShapeIsRefused(_ kernel: String, _ shape: String) throws {
    let found = try bench(kernel, shape)
    #expect(found.code == 2 && found.errors.hasPrefix("tessera: \(kernel): shape: found "), "\(found.errors)")
    #expect(found.errors.split(separator: "\n").count == 1)
  }

  @Test func shapesGoWithOneKernel() throws {
    let found = try Command.run(["bench", "softmax", "gelu", "--shape", "3x3", "--device", "cpu"])
    #expect(found.code == 2 && found.errors.contains("a shape for 2 kernels"))
    let unknown = try bench("nothing", "3x3")
    #expect(unknown.code == 2 && unknown.errors.contains("found nothing"))
  }
}
