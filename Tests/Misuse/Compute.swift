// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraBenchmark
import TesseraCompute
import TesseraVerification

extension Rows {
  func devices() {
    let d = device
    function("CPUBackend.init(threads:instructionSet:)")
    for threads in [0, -1, 4097, Int.max, .min] {
      refuses("\(threads) threads") { try CPUBackend(threads: threads) }
    }
    for name in ["", "sse9", "AVX2"] {
      refuses("instruction set '\(name)'") { try CPUBackend(instructionSet: name) }
    }
    function("MatrixUnits.init(_:)")
    gives("names of no units", true) {
      ["", "on", "emulated-", "emulated-none", "OFF"].allSatisfy { MatrixUnits($0) == nil }
    }
    function("OpenCLBackend.init(_:variant:softwareDivision:tuning:sources:profiler:matrixUnits:)")
    if let one = OpenCLDevice.all().first {
      gives("tiles that no kernel has, replaced by suiting ones", true) {
        var tiles = GemmTiles()
        tiles.rows = 7
        return try OpenCLBackend(one, tuning: GemmTuning(tiles)).tuning.many.isSound
      }
    } else {
      gives("no device to open", true) { OpenCLDevice.all().isEmpty }
    }
    function("OpenCLDevice.all()")
    gives("what the survey finds", true) { OpenCLDevice.all().count == OpenCLSurvey().devices.count }
    function("OpenCLSurvey.init()")
    gives("the same twice", true) { OpenCLSurvey().devices.count == OpenCLSurvey().devices.count }
    for (name, open) in [
      ("open", { try DeviceSelection.open($0, threads: $1).name }),
      ("openAll", { try DeviceSelection.openAll($0, threads: $1).name }),
    ] as [(String, (String, Int?) throws -> String)] {
      function("DeviceSelection.\(name)(_:threads:allowNonconforming:sources:tuning:profiler:warn:)")
      for selection in [
        "", "gpu", "opencl:99", "opencl:-1", "opencl:99999999999999999999", "opencl:no such", "cpu,cpu", ",",
        "auto,cpu", "cpu\u{0}",
      ] {
        refuses("'\(selection)'") { try open(selection, nil) }
      }
      for threads in [0, -1, Int.max] { refuses("\(threads) threads") { try open("cpu", threads) } }
    }
    function("DeviceSelection.conformance(of:against:)")
    gives("of a conforming device", true) {
      try DeviceSelection.conformance(of: d, against: try CPUBackend(threads: 1)).passes
    }
    let group = DeviceGroup(d, helpers: [d])
    function("DeviceGroup.init(_:helpers:)")
    gives("the same device as its own helper", 2) { group.all.count }
    function("DeviceGroup.synchronize()")
    works("nothing to wait for") { try group.synchronize() }
    function("DeviceGroup.naming(_:_:)")
    refuses("a body that throws") {
      try group.naming(d) { throw TesseraError.device("here", found: "a fault") }
    }
    function("DeviceGroup.runConcurrently(_:_:failed:)")
    gives("no hands", []) { try group.runConcurrently([(any Backend, Int)](), { $0 + $1 }, failed: {}) }
    refuses("a hand that throws") {
      try group.runConcurrently(
        [(d, 1)], { _, _ -> Int in throw TesseraError.failure("here", found: "it") }, failed: {})
    }
    function("Replicated.init(_:_:)")
    refuses("a model that cannot be made") {
      try Replicated<Int>(group) { _ in throw TesseraError.failure("here", found: "it") }
    }
    function("Replicated.init(_:main:_:)")
    refuses("a model that cannot be made") {
      try Replicated<Int>(group, main: 1) { _ in throw TesseraError.failure("here", found: "it") }
    }
    function("Replicated.mapDynamic(_:_:take:)")
    for parts in [-1, Int.min] {
      for helpers in [[], [d]] {
        refuses("\(parts) parts, \(helpers.count) helpers") {
          try Replicated(DeviceGroup(d, helpers: helpers)) { _ in 0 }.mapDynamic(parts, { $0 + $2 }) { _, _ in
          }
        }
      }
    }
    works("no parts") { try Replicated(group) { _ in 0 }.mapDynamic(0, { $0 + $2 }) { _, _ in } }
    refuses("a part that throws") {
      try Replicated(group) { _ in 0 }.mapDynamic(
        5, { _, _, _ -> Int in throw TesseraError.failure("here", found: "it") }
      ) { _, _ in }
    }
    function("splittingOnOutOfMemory(_:_:)")
    gives("no items", []) { try splittingOnOutOfMemory([Int]()) { Array($0) } }
    refuses("memory for not even one") {
      try splittingOnOutOfMemory([1, 2, 3]) { _ -> [Int] in
        throw TesseraError.outOfMemory("here", found: "none", wanted: "some")
      }
    }
    function("TesseraError.init(_:at:found:wanted:)")
    gives("texts of several lines, in one", "a\\u{a}b: c\\u{d}d") {
      "\(TesseraError(.input, at: "a\nb", found: "c\rd"))"
    }
    function("TesseraError.input(_:found:wanted:)")
    gives("a long text, shortened", true) {
      "\(TesseraError.input("x", found: String(repeating: "y", count: 1 << 20)))".count < 1000
    }
    function("TesseraError.failure(_:found:wanted:)")
    gives("no wish", "a: b") { "\(TesseraError.failure("a", found: "b"))" }
    function("TesseraError.device(_:found:wanted:)")
    gives("a wish", "a: found b, wanted c") { "\(TesseraError.device("a", found: "b", wanted: "c"))" }
    function("TesseraError.outOfMemory(_:found:wanted:)")
    gives("what it says", true) { TesseraError.outOfMemory("a", found: "b").isOutOfMemory }
    function("TesseraError.on(_:)")
    gives("a device that is known stays", "x") {
      TesseraError.device("a", found: "b").on("x").on("y").device ?? ""
    }
  }

  func measuring() {
    let d = device
    function("Benchmark.item(_:shape:)")
    let shapes = [
      "", "x", "0x1x1", "-1x1x1", "1x1", "1x1x1x1", "99999999999x1x1", "99999999999999999999x1x1",
      "65536x65536x65536", "1.5x1x1", "1x1xNaN", "t", "3x",
    ]
    for kernel in [
      "matmul", "attention", "softmax", "batchNorm", "maxPool", "relu", "adam", "squaredDistances",
      "affinities", "tsneForces", "nearestNeighbours", "neighbourAffinities", "conv2d", "nothing",
    ] {
      for shape in shapes
      where !(kernel == "squaredDistances" && shape == "1x1")
        && !(["softmax", "nearestNeighbours"].contains(kernel) && shape == "1x1")
        && !(kernel == "attention" && shape == "1x1x1x1")
      {
        refuses("\(kernel) \(shape)") { try Benchmark.item(kernel, shape: shape).label }
      }
    }
    for shape in [
      "b0 1->1 1x1 on 1x1", "b1 1->1 1x1 s0 on 3x3", "b1 3->4 1x1 g2 on 3x3", "b1 1->1 9x9 on 3x3",
      "b1 1->1 1x1 p1 on 3x3", "b1 1->1 1x1 g0 on 3x3", "b1 -1->1 1x1 on 3x3", "b1 1->1 1x1 d0 on 3x3",
      "b1 1->1 on 3x3", "on", "b65536 65536->65536 3x3 on 999x999",
    ] {
      refuses("conv2d \(shape)") { try Benchmark.item("conv2d", shape: shape).label }
    }
    function("Benchmark.run(_:on:peaks:reference:cold:)")
    gives("no peaks and a NaN of cold bytes", true) {
      let item = try Benchmark.item("add", shape: "16")
      let result = Benchmark.run(item, on: d, peaks: try Self.peaks(0), reference: nil, cold: .nan)
      return result.failure == nil && result.p50 != nil
    }
    function("Benchmark.peaks(of:)")
    gives("of a device, above 0", true) { d is CPUBackend ? try Benchmark.peaks(of: d).gflops > 0 : true }
    function("Benchmark.Report.init(_:peaks:results:)")
    gives("no results", 0) { Benchmark.Report(d, peaks: try Self.peaks(1), results: []).results.count }
    function("Benchmark.Report.read(_:)")
    for path in ["", "/no/such", "/", folder + "/text", folder + "/empty"] {
      refuses("'\(path.suffix(8))'") { try Benchmark.Report.read(path).device }
    }
    function("Benchmark.changes(from:to:)")
    gives("of nothing", 0) {
      let none = Benchmark.Report(d, peaks: try Self.peaks(1), results: [])
      return Benchmark.changes(from: none, to: none).count
    }
    function("GemmTuner.search(_:cpu:progress:)")
    if !(d.unprofiled is OpenCLBackend) {
      refuses("the CPU") { try GemmTuner.search(d, cpu: try CPUBackend(threads: 1)).1.count }
    } else {
      gives("a device with tiles", true) { d.unprofiled is OpenCLBackend }
    }
    function("FusedActivation.init(rawValue:)")
    gives("a number that is none's", true) {
      FusedActivation(rawValue: 99) == nil && FusedActivation(rawValue: -1) == nil
    }
    function("GemmTiles.init()")
    gives("sound tiles", true) { GemmTiles().isSound }
    function("GemmTiles.init(from:)")
    gives("tiles that are none, told apart", false) {
      try JSONDecoder().decode(
        GemmTiles.self,
        from: Data(
          #"{"rows":-9,"rowsOfItem":9223372036854775807,"rowBlocks":9223372036854775807,"columnBlocks":2,"depth":0}"#
            .utf8)
      ).isSound
    }
    function("GemmTuning.init(_:)")
    gives("one for both", true) { GemmTuning().many == GemmTuning().few }
    tuningFiles()
    function("Catalogue.drawn(_:seed:)")
    for count in [0, -1, Int.min] { gives("\(count) cases", 0) { Catalogue.drawn(count, seed: .max).count } }
    function("Catalogue.difference(_:_:)")
    gives("of nothing", true) { Catalogue.difference([], []) == nil }
    function("FunctionCheck.run(_:stride:cpu:device:progress:)")
    for stride in [0, -1, Int.max, .min, 1 << 33] {
      refuses("stride \(stride)") {
        guard let function = FunctionCheck.functions.first else { return 0 }
        return try FunctionCheck.run(function, stride: stride, cpu: try CPUBackend(threads: 1), device: d)
          .inputs
      }
    }
    function("ConversionCheck.run(_:stride:cpu:device:progress:)")
    for stride in [0, -1, Int.max, .min, 1 << 33] {
      refuses("stride \(stride)") {
        guard let conversion = ConversionCheck.conversions.first else { return 0 }
        let cpu = try CPUBackend(threads: 1)
        return try ConversionCheck.run(conversion, stride: stride, cpu: cpu, device: d).inputs
      }
    }
    function("SumCheck.run(on:only:each:)")
    gives("a reduction that there is none of", 0) { try SumCheck.run(on: d, only: ["no"]).count }
    function("Verification.run(_:reference:device:progress:)")
    gives("no cases", 0) { try Verification.run([], reference: d, device: d).cases }
    profiles()
  }

  private static func peaks(_ value: Double) throws -> Benchmark.Peaks {
    try JSONDecoder().decode(
      Benchmark.Peaks.self, from: Data("{\"gflops\":\(value),\"gigabytes\":\(value)}".utf8))
  }

  private func tuningFiles() {
    function("TuningFile.init()")
    works("empty") { _ = TuningFile() }
    function("TuningFile.init(_:)")
    for path in ["", "/", folder + "/text"] { refuses("'\(path.suffix(8))'") { try TuningFile(path) } }
    function("TuningFile.merge(_:)")
    works("with itself") {
      var file = TuningFile()
      file.merge(file)
    }
    function("TuningFile.set(_:for:)")
    refuses("the CPU") {
      var file = TuningFile()
      try file.set(GemmTuning(), for: try CPUBackend(threads: 1))
    }
    function("TuningFile.write(to:)")
    for path in ["", "/", "/proc/no"] { refuses("'\(path)'") { try TuningFile().write(to: path) } }
    function("KernelSources.init(folder:)")
    for path in ["", "/no/such", folder + "/text"] {
      refuses("'\(path.suffix(8))'") { try KernelSources(folder: path).files }
    }
  }

  private func profiles() {
    function("Profiler.init(capacity:)")
    for capacity in [-1, Int.min, 0] {
      gives("capacity \(capacity)", 2) { Profiler(capacity: capacity).span(.wait, "x") { 2 } }
    }
    function("Profiler.span(_:_:bytes:_:)")
    for bytes in [-1, Int.min, .max] {
      gives("\(bytes) bytes", 1) { Profiler().span(.upload, "", bytes: bytes) { 1 } }
    }
    refuses("a body that throws") {
      try Profiler().span(.stage, "x") { throw TesseraError.failure("here", found: "it") }
    }
    function("Profiler.summary()")
    gives("of nothing", 0) { Profiler().summary().devices.count }
    function("ProfileSummary.text(peaks:memory:most:)")
    for most in [-1, Int.min, .max, 0] {
      gives("\(most) lines", true) {
        let profiler = Profiler()
        profiler.span(.stage, "x") {}
        return profiler.summary().text(memory: ["x": .max], most: most).hasPrefix("profile")
      }
    }
    function("Profiler.writeTrace(to:)")
    for path in ["", "/", "/proc/no"] { refuses("'\(path)'") { try Profiler().writeTrace(to: path) } }
  }
}
