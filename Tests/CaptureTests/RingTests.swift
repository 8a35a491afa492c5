import CAgentCore
import CAgentWire
import CaptureProbe
import Foundation
import TestSupport
import Testing

@testable import Capture

extension AgentTests {
  struct RingTests {
    @Test func recordsOfAnySizeArriveInOrderAcrossTheEndOfTheRing() throws {
      let session = try AttachedSession()
      var random = RepeatableRandom(seed: 1)
      var written = 0
      var sent: [[UInt8]] = []
      while written < 5 * Int(QPROF_RING_SIZE) {
        let size = Int.random(in: 0...40_000, using: &random)
        let text = (0..<size).map { _ in UInt8.random(in: 0...255, using: &random) }
        if session.write(text) {
          sent.append(text)
          written += size
        } else {
          #expect(session.drainTexts() == sent)
          sent = []
        }
      }
      #expect(session.drainTexts() == sent)
    }

    @Test func aFullRingRefusesAndGoesOnWhenDrained() throws {
      let session = try AttachedSession()
      let text = [UInt8](repeating: 7, count: 60_000)
      var accepted = 0
      while session.write(text) { accepted += 1 }
      #expect(accepted == Int(QPROF_RING_SIZE) / 60_024)
      #expect(session.drainTexts()?.count == accepted)
      #expect(session.write(text))
    }

    @Test func aSampleThatFindsNoRoomIsCountedWithItsWeight() throws {
      let session = try AttachedSession()
      while session.write([UInt8](repeating: 0, count: 1000)) {}
      probe_capture_at(session.slot, 0x1000, 3)
      let row = session.file.slot(Int(session.slot)).pointee
      #expect(row.full_events == 1)
      #expect(row.full_weight == 3)
    }

    @Test func anUnreadableStackIsCopiedAsNothingWithoutAFault() throws {
      let session = try AttachedSession()
      probe_capture_at(session.slot, 0x1000, 1)  // in a page that is never mapped
      var isUnreadable: Bool?
      _ = session.reader.drain(slot: Int(session.slot)) { record in
        if case .sample(let sample) = record { isUnreadable = sample.isUnreadable }
      }
      #expect(isUnreadable == true)
      #expect(session.file.slot(Int(session.slot)).pointee.safe_copies == 1)
    }

    /// Whatever a hostile or broken process writes into its ring, the recorder must survive it.
    @Test(arguments: 0..<200) func nonsenseInARingIsSurvived(seed: Int) throws {
      let session = try AttachedSession()
      var random = RepeatableRandom(seed: UInt64(seed))
      for _ in 0..<8 { _ = session.write([UInt8](repeating: 1, count: 3000)) }
      let ring = session.file.ring(Int(session.slot))
      for _ in 0..<Int.random(in: 1...40, using: &random) {
        let at = Int.random(in: 0..<24_000, using: &random)
        ring.storeBytes(
          of: UInt32.random(in: 0...UInt32.max, using: &random), toByteOffset: at & ~3,
          as: UInt32.self)
      }
      if Bool.random(using: &random) {
        session.file.slot(Int(session.slot)).pointee.head = UInt64.random(
          in: 0...UInt64.max, using: &random)
      }
      if Bool.random(using: &random) {
        let slot = session.file.slot(Int(session.slot))
        slot.pointee.tail = slot.pointee.head &- UInt64.random(in: 0...300_000, using: &random)
      }
      var bytes = 0
      _ = session.reader.drain(slot: Int(session.slot)) { record in
        switch record {
        case .maps(let text): bytes += parseMaps(text).count + text.count
        case .sample(let sample): bytes += sample.stack.0.bytes.count + sample.stack.1.bytes.count
        }
      }
      #expect(bytes <= Int(QPROF_RING_SIZE))
      // And the ring is usable again.
      #expect(session.reader.backlog(slot: Int(session.slot)) == 0)
    }

    @Test func theMapsRecordSaysWhatTheKernelSays() throws {
      let session = try AttachedSession()
      qprof_write_maps(session.slot)
      let text = try #require(session.drainTexts()).flatMap { $0 }
      let kernel = try #require(Syscalls.contents("/proc/self/maps"))
      let expected = parseMaps(kernel).filter {
        $0.isExecutable && ($0.isFile || $0.path == "[vdso]")
      }
      #expect(expected.count > 3)
      let actual = parseMaps(text).sorted { $0.start < $1.start }.map { entry in
        // The loader names the links by which it came.
        var entry = entry
        entry.path = Syscalls.absolutePath(entry.path) ?? entry.path
        return entry
      }
      #expect(actual == expected)
    }

    @Test func slotsAndProcessesAreHandedOutOnceAndComeBack() throws {
      let session = try AttachedSession()
      var slots: [UInt32] = []
      while true {
        let slot = qprof_claim_slot(1, QPROF_SLOT_CPU)
        if slot == UInt32.max { break }
        slots.append(slot)
      }
      #expect(Set(slots).count == slots.count)
      #expect(slots.count == session.file.slotsReady - 1)  // one is the fixture's
      session.file.growIfNeeded(slotsInUse: slots.count + 1)
      #expect(qprof_claim_slot(1, QPROF_SLOT_CPU) != UInt32.max)
      session.file.freeSlot(Int(slots[0]))
      #expect(qprof_claim_slot(1, QPROF_SLOT_CPU) == slots[0])
    }
  }
}

/// Tests that run the agent's code in this process, one after the other.
@Suite(.serialized) struct AgentTests {}
