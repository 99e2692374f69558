// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TestSupport
import Testing

/// Every mistake ends in one line on standard error that says where, what was found and what was wanted;
/// exit code 2 for the user's mistakes, 1 for failures; and nothing half written is left.
@Suite struct BadInputTests {
  private let golden = Golden.shared

  /// A folder with an encoder, good reviews `good.csv` and their features `e`.
  private func withData(_ body: (String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      try TinyEncoder.write(to: folder + "/encoder")
      try write(TinyEncoder.reviews(40), folder + "/good.csv")
      try body(folder)
    }
  }

  private func write(_ text: String, _ path: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }

  private func expect(
    _ result: Command.Result, code: Int32 = 2, _ parts: String..., location: SourceLocation = #_sourceLocation
  ) {
    #expect(result.code == code, "\(result.errors)", sourceLocation: location)
    // Warnings of small classes may come before.
    let lines = result.errors.split(separator: "\n").filter {
      $0.hasPrefix("tessera: ") && !$0.hasPrefix("tessera: warning: ")
    }
    #expect(
      lines.count == 1 && result.errors.hasSuffix("\(lines.last ?? "")\n"), "\(result.errors)",
      sourceLocation: location)
    for part in parts {
      #expect(lines.last?.contains(part) == true, "\(result.errors)", sourceLocation: location)
    }
  }

  private func embed(_ folder: String, data: String, encoder: String = "encoder") throws -> Command.Result {
    let result = try Command.run([
      "embed", "--data", data, "--encoder", "\(folder)/\(encoder)", "--out", folder + "/e", "--device", "cpu",
      "--quiet",
    ])
    if result.code != 0 {
      #expect(!FileManager.default.fileExists(atPath: folder + "/e"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).allSatisfy { !$0.contains(".tmp") })
    }
    return result
  }

  private static let tables: [(String, String, String)] = [
    (
      "review,sentiment\n\"good, so,positive\nbad,negative\n", "line 2: found a quote that never closes",
      "wanted a closing quote"
    ),
    (
      "review,sentiment\n\"a, x\"b,positive\n", "line 2: found a quote with text after its end",
      "--quotes none"
    ),
    (
      "words,sentiment\na,positive\n", "header: found columns words, sentiment",
      "wanted a column review or text or sentence"
    ),
    (
      "review,mood\na,positive\n", "header: found columns review, mood",
      "wanted a column sentiment or label or class"
    ),
    ("review,sentiment\na,positive\nb\n", "line 3: found 1 fields", "wanted 2"),
    ("review,sentiment\na,positive\nb,\n", "line 3: found no label", "wanted a label"),
    ("", "found an empty file", "wanted reviews"), (" \n\n", "found an empty file", "wanted reviews"),
    ("review,sentiment\n", "found no reviews", "wanted at least one"),
    (
      "review,sentiment\na,positive\nb,positive\n", "found only the class positive",
      "wanted at least two classes"
    ),
  ]

  @Test(arguments: tables) func aBrokenTable(_ text: String, _ found: String, _ wanted: String) throws {
    try withData { folder in
      try write(text, folder + "/bad.csv")
      expect(try embed(folder, data: folder + "/bad.csv"), folder + "/bad.csv: ", found, wanted)
    }
  }

  @Test func bytesThatAreNotUTF8() throws {
    try withData { folder in
      let bytes = Data("review,sentiment\ngood,positive\n".utf8) + Data([0x62, 0xff, 0x2c, 0x61, 0x0a])
      try bytes.write(to: URL(fileURLWithPath: folder + "/bad.csv"))
      expect(try embed(folder, data: folder + "/bad.csv"), "bad.csv: line 3: found bytes that are not UTF-8")
      try bytes.write(to: URL(fileURLWithPath: folder + "/bad.jsonl"))
      expect(
        try embed(folder, data: folder + "/bad.jsonl"), "bad.jsonl: line 3: found bytes that are not UTF-8")
      expect(
        try embed(folder, data: folder + "/none.csv"),
        "none.csv: found no readable file (No such file or directory)")
    }
  }

  @Test func anUnknownLabelInTheTestData() throws {
    try withData { folder in
      try write("review,sentiment\ngood,positive\nso so,mixed\n", folder + "/test.csv")
      let result = try Command.run([
        "run", "--data", folder + "/good.csv", "--test", folder + "/test.csv", "--encoder",
        folder + "/encoder",
        "--out", folder + "/r", "--device", "cpu",
      ])
      expect(result, "test.csv: line 3: found the label mixed, wanted negative or positive")
    }
  }

  @Test func brokenEncoders() throws {
    try withData { folder in
      expect(
        try embed(folder, data: folder + "/good.csv", encoder: "none"),
        "none/config.json: found no readable file")
      let weights = folder + "/encoder/model.safetensors"
      let whole = try Data(contentsOf: URL(fileURLWithPath: weights))
      try whole.prefix(whole.count - 100).write(to: URL(fileURLWithPath: weights))
      expect(try embed(folder, data: folder + "/good.csv"), weights, "found data offsets", "bytes of data")
      try whole.prefix(1000).write(to: URL(fileURLWithPath: weights))
      expect(try embed(folder, data: folder + "/good.csv"), "wanted a header that fits the file")
      try FileManager.default.removeItem(atPath: weights)
      expect(try embed(folder, data: folder + "/good.csv"), "model.safetensors: found no readable file")
      var lies = SafetensorsWriter()
      lies.add("embeddings.word_embeddings.weight", [Float](repeating: 0, count: 12), shape: [3, 4])
      _ = try lies.write(to: weights)
      expect(
        try embed(folder, data: folder + "/good.csv"),
        "embeddings.word_embeddings.weight of shape [3, 4] instead of [25, 32], and no tensor embeddings.")
    }
  }

  @Test func weightsThatAreNone() throws {
    try withData { folder in
      var writer = SafetensorsWriter(metadata: ["classes": #"["a","b"]"#])
      writer.add("images", drawn(1, 8 * 400), shape: [8, 20, 20])
      writer.add("labels", [Int32](arrayLiteral: 0, 1, 0, 1, 0, 1, 0, 1), shape: [8])
      writer.add("rows.training", (0..<6).map { Int32($0) }, shape: [6])
      writer.add("rows.validation", [Int32](arrayLiteral: 6, 7), shape: [2])
      writer.add("rows.test", [Int32](), shape: [0])
      _ = try writer.write(to: folder + "/i")
      func train(_ weights: String) throws -> Command.Result {
        try Command.run([
          "train", "--images", folder + "/i", "--model", "alexnet", "--weights", weights, "--epochs", "1",
          "--out",
          folder + "/t", "--device", "cpu", "--quiet",
        ])
      }
      for (option, value, found) in [
        ("upsampling", "0", "upsampling: found 0, wanted 1 to 8"), ("noise", "-1", "noise: found -1.0"),
        ("bypass", "sideways", "bypass: found sideways, wanted none or linear"),
        ("feature-disk", "-1", "feature-disk: found -1"), ("slice", "melted", "slice: found melted"),
        ("head", "round", "head: found round, wanted paper or linear"),
      ] {
        let result = try Command.run(
          ["train", "--images", folder + "/i", "--out", folder + "/t", "--\(option)=\(value)"])
        expect(result, found)
      }
      for name in ["hostile_zip.pth", "hostile_legacy.pth"] {
        let result = try train(golden.path(name))
        expect(
          result, name + ": found no tensor features.0.weight [64, 3, 11, 11]", "the nearest of 1: w [24]",
          "wanted alexnet's slice")
        #expect(!result.output.contains("taken over"))
      }
      expect(try train(golden.path("weights_zip.pth")), "weights_zip.pth: found no tensor features.0.weight")
    }
  }

  private func features(_ folder: String, _ change: (inout [Float]) -> Void, columns: Int = 40) throws {
    var values = drawn(1, 30 * columns)
    change(&values)
    var writer = SafetensorsWriter(metadata: ["classes": #"["a","b"]"#])
    writer.add("features", values, shape: [30, columns])
    writer.add("labels", (0..<30).map { Int32($0 % 2) }, shape: [30])
    _ = try writer.write(to: folder + "/e")
  }

  private func layOut(_ folder: String, _ more: String...) throws -> Command.Result {
    try Command.run(
      ["layout", "--embeddings", folder + "/e", "--out", folder + "/l", "--device", "cpu", "--quiet"] + more)
  }

  @Test func featuresThatAreNotFiniteAndTooMuchPerplexity() throws {
    try withTemporaryFolder { folder in
      try features(folder) { $0[85] = .nan }
      expect(try layOut(folder), "/e: row 2, feature 5: found nan, wanted finite numbers")
      try features(folder) { $0[0] = -.infinity }
      expect(try layOut(folder), "/e: row 0, feature 0: found -inf")
      try features(folder) { _ in }
      expect(
        try layOut(folder, "--perplexity", "40"), "perplexity: found 40.0 for 40 points",
        "below the number of points")
      expect(try layOut(folder, "--perplexity", "nan"), "perplexity: found nan")
      expect(try layOut(folder, "--pixels", "0"), "pixels: found 0, wanted 1 to 4096")
      expect(try layOut(folder, "--test-share", "0.9"), "split: found shares")
      expect(try layOut(folder, "--layout", "umap"), "layout: found umap, wanted tsne, pca or random")
      expect(try layOut(folder, "--metric", "manhattan"), "metric: found manhattan, wanted euclidean, cosine")
      expect(try layOut(folder, "--metric", "cosine", "--layout", "pca"), "metric: found cosine with pca")
      expect(try layOut(folder, "--channels", "rgb"), "channels: found rgb, wanted grey, layer or several")
      expect(try layOut(folder, "--channels", "layer"), "channels: found layer for 40 features of 1 hidden")
      expect(try layOut(folder, "--representations", "pca"), "representations: found grey channels")
      expect(
        try layOut(folder, "--channels", "several", "--representations", "pca,umap"),
        "representations: found umap")
      expect(try layOut(folder, "--init", "spectral"), "init: found spectral, wanted random or pca")
      for rate in ["0", "nan", "inf", "fast"] {
        expect(try layOut(folder, "--tsne-learning-rate", rate), "tsne-learning-rate: found \(rate)")
      }
      #expect(!FileManager.default.fileExists(atPath: folder + "/l"))
      #expect(try layOut(folder, "--perplexity", "10", "--iterations", "50").code == 0)
    }
  }

  @Test func aFullDiskWhileWriting() throws {
    try withData { folder in
      let line =
        "trap '' XFSZ; ulimit -f 4; \"$TESSERA\" embed --data \(folder)/good.csv --encoder \(folder)/encoder "
        + "--out \(folder)/e --device cpu --quiet"
      expect(try Command.shell(line), code: 1, "writing \(folder)/e.partial: found File too large")
      // Rows that fitted would stay, for a call that has room; here none did.
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["encoder", "good.csv"])
      // The old file stays as it is.
      try write("old", folder + "/e")
      expect(try Command.shell(line), code: 1)
      #expect(FileManager.default.contents(atPath: folder + "/e") == Data("old".utf8))
      let roomy = line.replacing("ulimit -f 4; ", with: "")
      #expect(try Command.shell(roomy).code == 0)
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["e", "encoder", "good.csv"])
    }
  }

  @Test func devicesOptionsAndCommandsThatDoNotExist() throws {
    expect(try Command.run(["verify", "--device", "opencl:99"]), "device: found no device opencl:99")
    expect(try Command.run(["verify", "--device", "gpu"]), "device: found gpu, wanted cpu, opencl")
    expect(try Command.run(["verify", "--only", "nothing", "--device", "cpu"]), "only: found nothing")
    expect(
      try Command.run(["verify", "--sums", "--only", "nothing", "--device", "cpu"]),
      "only: found nothing, wanted adaptiveAveragePool, ")
    expect(
      try Command.run(["verify", "--reference", "nothing", "--device", "cpu"]),
      "instruction set: found nothing")
    expect(try Command.run(["bench", "nothing", "--device", "cpu"]), "found nothing")
    expect(try Command.run(["verify", "--threads", "0", "--device", "cpu"]), "threads: found 0")
    expect(try Command.run(["fly"]), "fly")
    expect(try Command.run(["verify", "--flag"]), "--flag")
    expect(try Command.run(["embed", "--data"]), "--data")
    expect(
      try Command.run(["predict", "--run", "/nowhere", "--text", "a", "--device", "cpu"]),
      "/nowhere/run.json: found no readable file")
    expect(try Command.run(["report", "--run", "/nowhere"]), "/nowhere/run.json")
    #expect(try Command.run(["--help"]).code == 0)
    #expect(try Command.run(["--version"]).output.hasPrefix("tessera "))
  }

  @Test func optionsOutOfRange() throws {
    try withData { folder in
      func run(_ more: String...) throws -> Command.Result {
        try Command.run(
          [
            "run", "--data", folder + "/good.csv", "--encoder", folder + "/encoder", "--out", folder + "/r",
            "--device", "cpu",
          ]
            + more)
      }
      expect(
        try run("--schedule", "linear"), "schedule: found linear, but no epochs, wanted --epochs 1 or more")
      expect(try run("--model", "lenet"), "model: found lenet, wanted alexnet")
      expect(try run("--layers", "5...9"), "layers: found 5...9, wanted hidden states within 0...2")
      expect(try run("--layers", "x"), "layers: found x")
      expect(try run("--pooling", "max"), "pooling: found max")
      expect(try run("--normalization", "none"), "normalization: found none")
      expect(try run("--batch", "0"), "batch: found 0")
      expect(try run("--epochs", "-1"), "epochs")
      expect(try run("--conv-lr", "nan"), "conv-lr: found nan")
      expect(try run("--text-column", "words"), "wanted a column words")
      expect(try run("--out", "/proc/none"), "/proc/none: found a folder that cannot be made")
      expect(
        try run("--pixels", "8", "--model", "alexnet", "--head", "paper", "--perplexity", "5"),
        "pixels: found 8, wanted 16 or more for alexnet")
    }
  }

  @Test func twoRunsInOneFolder() throws {
    try withData { folder in
      let line =
        "flock \(folder)/r/.lock -c '\"$TESSERA\" run --data \(folder)/good.csv --encoder \(folder)/encoder "
        + "--out \(folder)/r --device cpu'"
      try FileManager.default.createDirectory(atPath: folder + "/r", withIntermediateDirectories: true)
      expect(try Command.shell(line), "/r: found another run at work in it")
    }
  }
}
