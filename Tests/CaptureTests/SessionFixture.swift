import CAgentCore
import CAgentWire
import CaptureProbe
import Foundation
import ProfileModel

@testable import Capture

/// A session to which this test process itself attaches, as a sampled process would.
///
/// The agent's state is global, so the suites that use it run one test at a time.
final class AttachedSession {
  let file: SessionFile
  let slot: UInt32

  init() throws {
    file = try SessionFile(
      CaptureOptions(period: Nanoseconds(4_000_000)), clock: EventClock())
    setenv(QPROF_ENV_SESSION, file.path, 1)
    defer { unsetenv(QPROF_ENV_SESSION) }
    guard qprof_attach(), qprof_claim_process(0) else { throw NotAttached() }
    slot = qprof_claim_slot(qprof_gettid(), QPROF_SLOT_CPU)
  }

  struct NotAttached: Error {}

  deinit {
    file.close()
    probe_detach()
  }

  var reader: RingReader { RingReader(session: file) }

  /// Writes a maps record whose text is `bytes`; false when the ring is full.
  func write(_ bytes: [UInt8]) -> Bool {
    let header = MemoryLayout<qprof_record>.size
    let size = UInt32((header + bytes.count + 7) & ~7)
    guard let record = qprof_reserve(slot, size) else { return false }
    record.pointee = qprof_record(
      size: size, kind: UInt16(QPROF_RECORD_MAPS.rawValue), flags: 0, payload: UInt32(bytes.count),
      weight: 0, time_ns: 0)
    UnsafeMutableRawPointer(record).advanced(by: header).copyMemory(
      from: bytes, byteCount: bytes.count)
    qprof_commit(slot, record)
    return true
  }

  /// Texts of the maps records that wait in the ring; nil when the ring could not be read.
  func drainTexts() -> [[UInt8]]? {
    var texts: [[UInt8]] = []
    let isIntact = reader.drain(slot: Int(slot)) { record in
      if case .maps(let text) = record { texts.append(Array(text)) }
    }
    return isIntact ? texts : nil
  }
}
