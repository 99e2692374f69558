// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import TesseraCompute

/// How work is handed out to several devices, and how they are chosen.
@Suite struct DeviceGroupTests {
  private func group(_ helpers: Int) throws -> DeviceGroup {
    DeviceGroup(
      try CPUBackend(threads: 1), helpers: try (0..<helpers).map { try CPUBackend(threads: $0 + 2) })
  }

  @Test(arguments: [0, 1, 3]) func everyPartIsDoneOnceByItsDevicesOwnModel(_ helpers: Int) throws {
    let models = Replicated(try group(helpers)) { $0.name }
    for parts in [0, 1, 2, 100] {
      var seen: [Int: String] = [:]
      try models.mapDynamic(parts) { model, device, part in
        #expect(model == device.name)
        // A device that is quick does not take everything.
        if helpers > 0, parts > 1 { usleep(1000) }
        return "\(part) \(model)"
      } take: { part, result in
        #expect(seen.updateValue(result, forKey: part) == nil && result.hasPrefix("\(part) "))
      }
      #expect(seen.count == parts)
      let used = Set(seen.map { $0.value.drop { $0 != " " } })
      #expect(parts < 100 || used.count == helpers + 1)
    }
  }

  @Test func aFailureEndsTheWorkAndNamesTheDevice() throws {
    let models = Replicated(try group(2)) { $0.name }
    let begun = Atomic<Int>(0)
    let failing = models.devices.helpers[0].name
    do {
      try models.mapDynamic(1000) { model, _, part in
        begun.wrappingAdd(1, ordering: .relaxed)
        usleep(500)
        if model == failing { throw TesseraError.device("kernel", found: "nothing", wanted: "a result") }
      } take: { _, _ in
      }
      Issue.record("nothing was thrown")
    } catch let error as TesseraError {
      #expect(error.kind == .device)
      #expect("\(error)" == "\(failing): kernel: found nothing, wanted a result")
    }
    #expect(begun.load(ordering: .relaxed) < 1000)
  }

  @Test func whoTakesResultsMayFailToo() throws {
    struct Stop: Error {}
    let models = Replicated(try group(1)) { $0.name }
    var taken = 0
    #expect(throws: Stop.self) {
      try models.mapDynamic(100) { _, _, part in
        usleep(200)
        return part
      } take: { _, _ in
        taken += 1
        if taken == 3 { throw Stop() }
      }
    }
    #expect(taken == 3)
  }

  @Test(
    arguments: [
      ("cpu,cpu", "cpu twice"), ("cpu,", "an empty name"), (",", "an empty name"),
      ("cpu,auto", "auto in a list"),
      ("all,cpu", "all in a list"), ("cpu, gpu", "found gpu"), ("cpu,opencl:99", "opencl:99"),
    ]) func listsThatAreRefused(_ list: String, _ why: String) throws
  {
    let error = try #require(throws: TesseraError.self) { try DeviceSelection.openAll(list) }
    #expect(error.kind == .input && "\(error)".contains(why), "\(error)")
  }

  @Test(.tags(.opencl), .enabled(if: TestDevices.hasOpenCL)) func oneDeviceByTwoNamesIsRefused() throws {
    let error = try #require(throws: TesseraError.self) { try DeviceSelection.openAll("opencl,cpu,opencl:0") }
    #expect("\(error)".contains("twice in opencl,cpu,opencl:0"))
  }

  @Test(.tags(.opencl), .enabled(if: TestDevices.hasOpenCL)) func theFirstOfAListIsTheMainDevice() throws {
    let group = try DeviceSelection.openAll("opencl:0, cpu")
    #expect(group.main is OpenCLBackend && group.helpers.count == 1 && group.helpers[0] is CPUBackend)
    #expect(group.name == "\(group.main.name) + \(group.helpers[0].name)")
    // PoCL is a CPU, which the CPU stands for.
    #expect(try DeviceSelection.openAll("all").all.last is CPUBackend)
  }

  @Test func aListIsRefusedWhereOneDeviceIsUsed() throws {
    for list in ["cpu,opencl:0", "all"] {
      let error = try #require(throws: TesseraError.self) { try DeviceSelection.open(list) }
      #expect("\(error)".contains("wanted one"))
    }
    #expect(try DeviceSelection.openAll("cpu").helpers.isEmpty)
  }
}
