// SPDX-License-Identifier: Apache-2.0
/// Something that took time on the host or on a device.
package struct ProfileRecord: Sendable {
  /// Indices into the profiler's names; the primitive is -1 where none is known.
  package var name: Int32, primitive: Int32
  /// Index into the profiler's tracks.
  package var track: Int32
  package let category: Profiler.Category
  /// Nanoseconds of the host's clock: handed to the queue, sent to the device, begun, done. On the host the
  /// first three are one.
  package let queued: Int64, submit: Int64, start: Int64, end: Int64
  package let work: KernelWork

  init(
    _ category: Profiler.Category, queued: Int64? = nil, submit: Int64? = nil, start: Int64, end: Int64,
    work: KernelWork = .none
  ) {
    (name, primitive, track, self.category) = (-1, -1, -1, category)
    // Not every driver keeps the four in order.
    self.start = start
    self.end = max(start, end)
    self.submit = min(submit ?? start, start)
    self.queued = min(queued ?? start, self.submit)
    self.work = work
  }
}

extension ProfileRecord {
  /// The same by a clock that is behind by so many nanoseconds.
  func earlier(by ahead: Int64) -> ProfileRecord {
    var record = ProfileRecord(
      category, queued: queued - ahead, submit: submit - ahead, start: start - ahead, end: end - ahead,
      work: work)
    (record.name, record.primitive, record.track) = (name, primitive, track)
    return record
  }
}

/// What all runs of a kernel or primitive came to.
package struct ProfileTotal: Sendable {
  package var calls = 0
  package var nanoseconds: Int64 = 0
  package var operations = 0.0
  package var integerOperations = 0.0
  package var bytes = 0.0
}
