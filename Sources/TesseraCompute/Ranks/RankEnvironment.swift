// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What a launcher of MPI (`mpirun`, `mpiexec`, `srun`) told this process by its environment, before MPI has
/// begun.
package struct RankEnvironment: Sendable, Equatable {
  /// Which MPI started it: the name of the library that `tools/mpi-shim` makes for it.
  package let kind: String
  /// This process's number.
  package let rank: Int
  /// How many there are.
  package let size: Int

  /// What an environment tells; nil for a process on its own.
  package init?(_ environment: [String: String]) {
    func number(_ name: String) -> Int? { environment[name].flatMap { Int($0) } }
    if let rank = number("OMPI_COMM_WORLD_RANK"), let size = number("OMPI_COMM_WORLD_SIZE") {
      (kind, self.rank, self.size) = ("openmpi", rank, size)
    } else if let rank = number("PMI_RANK"), let size = number("PMI_SIZE") ?? number("SLURM_NTASKS") {
      (kind, self.rank, self.size) = ("mpich", rank, size)
    } else if let rank = number("PMIX_RANK"), let size = number("SLURM_NTASKS") {
      (kind, self.rank, self.size) = ("openmpi", rank, size)
    } else {
      return nil
    }
    guard size > 1 else { return nil }
  }

  /// The library between Tessera and the MPI that started this process.
  ///
  /// - Throws: `TesseraError` that says how it is made, where there is none.
  package func library(_ environment: [String: String]) throws -> String {
    if let path = environment["TESSERA_MPI"], !path.isEmpty { return path }
    let name = "mpi/\(kind).so"
    for folder in Self.caches(environment) {
      let path = "\(folder)/\(name)"
      if FileManager.default.fileExists(atPath: path) { return path }
    }
    throw TesseraError.input(
      "ranks",
      found:
        "\(size) of them, started by \(kind), and no \(name) in \(Self.caches(environment).first ?? "a cache folder")",
      wanted: "tools/mpi-shim to have been run on this host (or TESSERA_MPI=FILE)")
  }

  /// How long all ranks may take to begin: MPI waits for the last one without end, so one that hangs before it has
  /// begun would hang all.
  ///
  /// - Throws: `TesseraError` for a variable that is no number of seconds.
  package func startLimit(_ environment: [String: String]) throws -> Duration {
    guard let text = environment["TESSERA_MPI_START"] else { return .seconds(18) }
    guard let seconds = Int(text), (1...86_400).contains(seconds) else {
      throw TesseraError.input("TESSERA_MPI_START", found: text, wanted: "seconds, 1 to 86400")
    }
    return .seconds(seconds)
  }

  private static func caches(_ environment: [String: String]) -> [String] {
    let own = environment["TESSERA_CACHE"].flatMap { $0.isEmpty ? nil : $0 }
    let shared = environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : $0 + "/tessera" }
    let home = environment["HOME"].map { $0 + "/.cache/tessera" }
    return [own ?? shared ?? home].compactMap { $0 }
  }
}
