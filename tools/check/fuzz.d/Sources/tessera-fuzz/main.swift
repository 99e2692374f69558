// SPDX-License-Identifier: Apache-2.0
import CFuzz
import Foundation

// tessera-fuzz TARGET [libFuzzer's options and corpora]
var arguments = CommandLine.arguments
guard arguments.count > 1, let target = Target(rawValue: arguments[1]) else {
  let names = Target.allCases.map(\.rawValue).joined(separator: ", ")
  FileHandle.standardError.write(Data("tessera-fuzz: wanted a target first: \(names)\n".utf8))
  exit(2)
}
arguments.remove(at: 1)
// A C function captures nothing: the choice goes through a global.
let chosen = target
var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
exit(
  tsr_fuzz_run(Int32(arguments.count), &pointers) { data, size in
    chosen(UnsafeRawBufferPointer(start: data, count: size)) ? 0 : -1
  })
