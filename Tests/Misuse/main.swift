// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

// misuse DEVICE FOLDER FROM: makes the calls from a number on, a line before and a line after each; a trap
// ends the process, and the line before it says where. misuse --list: the functions that have rows.
/// A line at once: what comes next may end the process.
func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }
let arguments = CommandLine.arguments
let cpu = try CPUBackend(threads: 2)
if arguments.count == 2, arguments[1] == "--list" {
  for name in Set(try allRows(cpu, folder: NSTemporaryDirectory(), others: []).all.map(\.function)).sorted() {
    say(name)
  }
  exit(0)
}
guard arguments.count == 4, let first = Int(arguments[3]) else {
  say("usage: misuse cpu|profiled|opencl FOLDER FROM")
  exit(2)
}
let installed = OpenCLDevice.all()
var others: [any Backend] = []
if let one = installed.first { others.append(try OpenCLBackend(one)) }
let device: any Backend
switch arguments[1] {
case "profiled": device = ProfiledBackend(cpu, profiler: Profiler())
case "opencl":
  guard let one = installed.first else { exit(2) }
  device = try OpenCLBackend(one)
  // The same device opened twice has memory of its own each time.
  others.append(cpu)
default: device = cpu
}
let rows = try allRows(device, folder: arguments[2], others: others).all
for (number, row) in rows.enumerated().dropFirst(first) {
  say("row \(number) \(row.function): \(row.what)")
  let found: (isError: Bool, text: String)
  do { found = (false, try row.call()) } catch let error as TesseraError {
    found = (true, error.description)
  } catch {
    found = (false, "an error of another kind: \(error)")
  }
  let isOneLine = !found.text.isEmpty && found.text.count < 1500 && !found.text.contains("\n")
  let isRight = row.wanted.map { !found.isError && $0 == found.text } ?? (found.isError && isOneLine)
  let shown = found.text.replacingOccurrences(of: "\n", with: "\\n").prefix(300)
  say("\(isRight ? "right" : "wrong") \(number) \(found.isError ? "threw" : "gave") \(shown)")
}
say("end \(rows.count)")
