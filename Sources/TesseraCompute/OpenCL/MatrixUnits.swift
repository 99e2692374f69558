// SPDX-License-Identifier: Apache-2.0
/// Which matrix units of int8 an OpenCL device's products as exact integers use: `TESSERA_MATRIX_UNITS`.
public enum MatrixUnits: Sendable, Hashable {
  /// Those that the device turns out to have at its first such product.
  case automatic
  /// None: plain integer arithmetic.
  case off
  /// Those of a family, their instructions written out: a rehearsal of its kernel on any device, and slow.
  case emulated(Family)

  /// Units that have one arrangement of operands and sums.
  public enum Family: String, Sendable, CaseIterable {
    /// Tensor cores of compute capability 8.0 and later: `mma.sync` of 16 x 8 x 32.
    case nvidia
    /// AMD's RDNA 3: WMMA of 16 x 16 x 16. Never tried on a device.
    case rdna3
    /// AMD's CDNA 3: MFMA of 16 x 16 x 32. Never tried on a device.
    case cdna3
    /// Intel's XMX in subgroups of 16: 8 x 16 x 32. Never tried on a device.
    case xmx
  }

  /// The units by what `TESSERA_MATRIX_UNITS` says: `auto`, `off`, or `emulated-` before a family; nil for
  /// anything else.
  ///
  /// - Parameter name: the variable's text.
  public init?(_ name: String) {
    switch name {
    case "auto": self = .automatic
    case "off": self = .off
    default:
      guard name.hasPrefix("emulated-"), let family = Family(rawValue: String(name.dropFirst(9))) else {
        return nil
      }
      self = .emulated(family)
    }
  }

  /// What `TESSERA_MATRIX_UNITS` can say.
  static var names: [String] { ["auto", "off"] + Family.allCases.map { "emulated-\($0.rawValue)" } }
}

/// One form of `Kernels/integer_gemm/units_gpu.h`.
struct MatrixUnitForm: Sendable, Hashable {
  var family: MatrixUnits.Family
  /// Whether tiles come by `cp.async` and fragments by `ldmatrix`.
  var isAsync = false
  var isEmulated = false

  /// What it is called in lists of devices.
  var title: String {
    "\(family.rawValue)\(isAsync ? " with asynchronous copies" : "")\(isEmulated ? ", emulated" : "")"
  }

  /// The number of `TSR_UNITS`, the work-items of a unit, and the tiles there are.
  private var shape: (number: Int, lanes: Int, tiles: [Int]) {
    switch family {
    case .nvidia: (1, 32, [64, 128])
    case .rdna3: (2, 32, [64, 128])
    case .cdna3: (3, 64, [64, 128])
    case .xmx: (4, 16, [64])
    }
  }

  /// The greatest number of words of k whose sums 32 bits hold: 32,768 of k.
  static let longest = 8192

  /// Work-items of a work-group for a tile.
  func items(_ tile: Int) -> Int { tile / 16 * shape.lanes }

  /// Bytes of local memory for a tile: two stages, and what emulated units exchange.
  private func localMemory(_ tile: Int, _ digits: Int) -> Int {
    let exchanged = isEmulated ? items(tile) * 8 * (family == .nvidia ? 4 : family == .cdna3 ? 2 : 8) : 0
    return max(128 * digits * tile, 2 * tile * (tile + 8)) + exchanged
  }

  /// The tile for a product: the greatest that the device can run and that gives all of its units work; nil if it
  /// can run none.
  ///
  /// - Throws: `TesseraError` for emulated units that the device cannot run: they were asked for by name.
  func tile(m: Int, n: Int, digits: Int, on device: OpenCLDevice) throws -> Int? {
    let possible = shape.tiles.filter {
      items($0) <= device.maxWorkGroup && localMemory($0, digits) <= device.localMemory
    }
    if possible.isEmpty, isEmulated {
      let least = shape.tiles[0]
      throw TesseraError.device(
        "TESSERA_MATRIX_UNITS",
        found: "work-groups of \(device.maxWorkGroup) and \(device.localMemory) bytes of local memory on "
          + device.name,
        wanted: "\(items(least)) and \(localMemory(least, digits)) for emulated-\(family.rawValue)")
    }
    func groups(_ tile: Int) -> Int { ((m + tile - 1) / tile) * ((n + tile - 1) / tile) }
    return possible.last { groups($0) >= device.computeUnits } ?? possible.first
  }

  /// The parts of k of a product, and words of one: as many as keep all units of the device at work with so many
  /// work-groups a part, none shorter than 1024 of k, and none longer than sums of 32 bits hold.
  static func split(words: Int, groups: Int, on device: OpenCLDevice) -> (parts: Int, words: Int) {
    let wanted = min(device.computeUnits / max(1, groups), words / 256)
    let parts = max(1, wanted, (words + longest - 1) / longest)
    let part = (words + 8 * parts - 1) / (8 * parts) * 8
    return (max(1, (words + part - 1) / max(1, part)), part)
  }

  /// The options of its program.
  func options(tile: Int) -> String {
    " -DTSR_UNITS=\(shape.number) -DTSR_UNIT_TILE=\(tile)" + (isAsync ? " -DTSR_UNITS_ASYNC" : "")
      + (isEmulated ? " -DTSR_UNITS_EMULATED" : "")
  }

  /// What may run on a device, the best first; whether it does a probe tells.
  static func candidates(_ device: OpenCLDevice) -> [MatrixUnitForm] {
    if device.platform.contains("NVIDIA") {
      return [MatrixUnitForm(family: .nvidia, isAsync: true), MatrixUnitForm(family: .nvidia)]
    }
    if device.platform.contains("AMD") {
      return [MatrixUnitForm(family: .rdna3), MatrixUnitForm(family: .cdna3)]
    }
    if device.extensions.contains("cl_intel_subgroup_matrix_multiply_accumulate") {
      return [MatrixUnitForm(family: .xmx)]
    }
    return []
  }
}
