// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraPipeline
import TesseraVision

extension Rows {
  /// Digests of tensors, and verifications of runs.
  func proofs() {
    let d = device
    function("Fingerprint.add(_:on:)")
    for (name, make) in strangers {
      refuses("of \(name)") {
        var print = Fingerprint()
        try print.add(try make(3, .float32), on: d)
        return print.digits()
      }
    }
    function("MemoryBackend.fingerprint(of:)")
    for (name, make) in strangers {
      refuses("of \(name)") { try d.fingerprint(of: try make(3, .int32)) }
    }
    gives("no elements", 64) { try d.fingerprint(of: try d.allocate([0], .float32)).count }
    function("RowSample.init(_:)")
    for text in ["", "%", "0", "-1", "0%", "nan%", "101%", "1e999%"] {
      refuses("'\(text)'") { try RowSample(text) }
    }
    function("RowSample.rows(of:)")
    for share in [Double.nan, -1, 0] { gives("\(share)", 0) { RowSample.share(share).rows(of: 9) } }
    gives("all and more", 9) { RowSample.share(.infinity).rows(of: 9) }
    for total in [0, -1, Int.min] { gives("\(total)", 0) { RowSample.count(3).rows(of: total) } }
    gives("a count of -1", 0) { RowSample.count(-1).rows(of: 9) }
    function("RunCertificate.read(_:)")
    for path in ["", "/no/such", folder, folder + "/text", folder + "/empty"] {
      refuses("'\(path.suffix(8))'") { try RunCertificate.read(path) }
    }
    function("RunVerification.init(_:sources:devices:extent:progress:)")
    for path in ["", "/no/such", folder] {
      refuses("'\(path.suffix(8))'") { try self.verification(path).certify() }
    }
    function("RunVerification.Sources.init()")
    gives("no paths", true) { RunVerification.Sources().data == nil }
    function("KeptStates.init(_:)")
    for text in ["", "0", "-1", "every 3", "1.5", "99999999999999999999"] {
      refuses("'\(text)'") { try KeptStates(text) }
    }
    function("TrainingPlace.init(epoch:step:)")
    gives("numbers below 0", -1) { TrainingPlace(epoch: -1, step: -1).epoch }
    function("TrainingPlace.<(a:b:)")
    gives("extremes", true) {
      TrainingPlace(epoch: .min, step: .max) < TrainingPlace(epoch: .max, step: .min)
    }
    disputes()
    // They follow a verification, which a folder without a run has none of.
    for name in [
      "RunVerification.certify()", "RunCertificate.encoded()", "RunCertificate.requireSameRun(as:_:)",
    ] {
      function(name)
      refuses("of a folder without a run") { try self.verification(self.folder).certify().encoded() }
    }
  }

  private func disputes() {
    func dispute(_ path: String) throws -> RunDispute {
      try RunDispute(path, device: self.device, progress: ProgressLine(quiet: true))
    }
    // All follow the first, which a folder without a run has none of.
    for name in [
      "RunDispute.init(_:sources:device:progress:)", "RunDispute.answer(to:)",
      "RunDispute.Answer.write(to:)",
    ] {
      function(name)
      for path in ["", "/no/such", folder] {
        refuses("'\(path.suffix(8))'") { try dispute(path).answer(to: path).write(to: path) }
      }
    }
  }

  private func verification(_ path: String) throws -> RunVerification {
    try RunVerification(
      path, devices: DeviceGroup(device), extent: .rows(.count(1), seed: 1),
      progress: ProgressLine(quiet: true))
  }
}
