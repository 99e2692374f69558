// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraVerification

/// Finds the tiles with which a device computes products fastest. One whose bits differ from the CPU's in
/// any case of the catalogue, or in any shape that is timed, is thrown out, however fast it is (NUMERICS.md
/// rule 10).
public enum GemmTuner {
  /// A candidate and what came of it.
  public struct Trial: Sendable, Codable {
    /// The tiles.
    public let tiles: GemmTiles
    /// Seconds for each shape, those of `GemmTuner.many`, then of `few`; empty if it was thrown out.
    public let seconds: [Double]
    /// Why it was thrown out.
    public let rejected: String?
  }

  /// Shapes with outputs enough to fill a device: kernel and shape as `tessera bench` takes them.
  static let many = [
    ("matmul", "2048x384x1536t"), ("matmul", "1024x1024x1024"), ("conv2d", "b32 192->192 2x2 on 17x17"),
    ("conv2d", "b8 64->64 3x3 p1 on 56x56"), ("conv2dGradWeight", "b32 64->192 5x5 p2 on 17x17"),
  ]
  /// Shapes with few outputs.
  static let few = [
    ("matmul", "32x700x1600t"), ("matmul", "64x64x4096"), ("conv2dGradWeight", "b32 192->64 2x2 on 15x15"),
  ]

  /// Times every candidate on a device.
  ///
  /// - Parameters:
  ///   - device: whose variant and kernels' text the candidates get.
  ///   - cpu: the backend whose bits every candidate must give.
  ///   - progress: called before each candidate with its number, how many there are and its tiles.
  /// - Throws: `TesseraError` for a device without tiles (the CPU), and if no candidate gives the CPU's bits.
  /// - Returns: the best tiles of both classes, and all trials.
  public static func search(
    _ device: any Backend, cpu: CPUBackend, progress: (Int, Int, GemmTiles) -> Void = { _, _, _ in }
  ) throws -> (GemmTuning, [Trial]) {
    let device = try device.requireTunable("tune")
    let cases = Catalogue.productCases.filter(\.isSmall)
    let wanted = try cases.map { try $0.run(cpu) }
    let items = try (many + few).map { try Benchmark.item($0.0, shape: $0.1) }
    let outputs = try items.map { item in
      let (run, output) = try item.prepare(cpu)
      try run()
      return try cpu.floats(output).map(\.bitPattern)
    }
    let candidates = device.candidateTiles
    var backends: [(any TunableBackend)?] = []
    var rejected: [String?] = []
    for (number, tiles) in candidates.enumerated() {
      progress(number, candidates.count, tiles)
      do {
        let backend = try device.with(GemmTuning(tiles))
        try check(backend, cases, wanted)
        backends.append(backend)
        rejected.append(nil)
      } catch {
        backends.append(nil)
        rejected.append("\(error)")
      }
    }
    // In turn, so that a busy minute of the machine is no candidate's misfortune; the least time of all
    // rounds counts.
    var seconds = [[Double]](
      repeating: [Double](repeating: .infinity, count: items.count), count: candidates.count)
    for shape in items.indices {
      for _ in 0..<rounds {
        for (number, backend) in backends.enumerated() {
          guard let backend else { continue }
          do {
            let (run, output) = try items[shape].prepare(backend)
            let times = try Benchmark.times(backend, budget: 0.1, least: 3, run)
            seconds[number][shape] = min(seconds[number][shape], times[0])
            // Timed runs are checked too: catalogue shapes are small.
            let same = try backend.floats(output).map(\.bitPattern) == outputs[shape]
            guard same else {
              throw TesseraError.failure(
                "\(items[shape].kernel) \(items[shape].label)", found: "other bits", wanted: "the CPU's")
            }
          } catch {
            (backends[number], rejected[number]) = (nil, "\(error)")
          }
        }
      }
    }
    let trials = candidates.indices.map {
      Trial(tiles: candidates[$0], seconds: rejected[$0] == nil ? seconds[$0] : [], rejected: rejected[$0])
    }
    var tuning = GemmTuning()
    tuning.many = try best(trials, many.indices, device)
    tuning.few = try best(trials, many.count..<many.count + few.count, device)
    return (tuning, trials)
  }

  private static let rounds = 3

  private static func check(_ backend: any Backend, _ cases: [CatalogueCase], _ wanted: [[CaseOutput]])
    throws
  {
    for (item, wanted) in zip(cases, wanted) {
      guard let difference = Catalogue.difference(wanted, try item.run(backend)) else { continue }
      throw TesseraError.failure("\(item.primitive) \(item.label)", found: difference, wanted: "equal bits")
    }
  }

  /// The tiles with the least product of times: each shape counts alike, however long it takes.
  private static func best(_ trials: [Trial], _ shapes: Range<Int>, _ device: any Backend) throws
    -> GemmTiles
  {
    let sound = trials.filter { $0.rejected == nil }
    func cost(_ trial: Trial) -> Double { trial.seconds[shapes].reduce(1, *) }
    guard let best = sound.min(by: { cost($0) < cost($1) }) else {
      throw TesseraError.failure(
        "tune \(device.name)", found: trials.first?.rejected ?? "no candidate",
        wanted: "tiles with the CPU's bits")
    }
    return best.tiles
  }
}
