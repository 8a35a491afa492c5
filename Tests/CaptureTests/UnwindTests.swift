import CaptureProbe
import Foundation
import ProfileModel
import Testing

@testable import Capture

extension AgentTests {
  struct UnwindTests {
    /// glibc unwinds this very stack with code of its own.
    @Test func aCopiedStackUnwindsToTheFramesThatGlibcFinds() throws {
      let session = try AttachedSession()
      let expected = nest(3) { captureHere(session) }
      let space = try ownAddressSpace()
      var result = UnwoundStack()
      let unwinder = Unwinder()
      _ = session.reader.drain(slot: Int(session.slot)) { record in
        guard case .sample(let sample) = record else { return }
        unwinder.unwind(sample, in: space, owner: 0, into: &result)
      }
      #expect(result.truncation == nil)
      // The innermost frames differ in their pc: capturing and backtrace are two calls.
      let callers = result.addresses.dropFirst().map { $0 + 1 }
      #expect(callers.count > 5)
      #expect(Array(expected.suffix(callers.count)) == callers)
    }

    @Test func unwindingAgainFromTheCacheGivesTheSame() throws {
      let session = try AttachedSession()
      _ = nest(10) { captureHere(session) }
      let space = try ownAddressSpace()
      let unwinder = Unwinder()
      var first = UnwoundStack()
      var second = UnwoundStack()
      _ = session.reader.drain(slot: Int(session.slot)) { record in
        guard case .sample(let sample) = record else { return }
        unwinder.unwind(sample, in: space, owner: 0, into: &first)
        for owner in 1...40 {  // more than there are address spaces in the pool
          unwinder.unwind(sample, in: space, owner: owner, into: &second)
        }
        unwinder.forget(owner: 0)
        unwinder.unwind(sample, in: space, owner: 0, into: &second)
      }
      #expect(first.addresses.count > 12)
      #expect(first.addresses == second.addresses)
    }

    @Test func aCutStackSaysSo() throws {
      let session = try AttachedSession()
      _ = nest(20) { captureHere(session) }
      let space = try ownAddressSpace()
      let unwinder = Unwinder()
      var result = UnwoundStack()
      _ = session.reader.drain(slot: Int(session.slot)) { record in
        guard case .sample(var sample) = record else { return }
        sample.stack.0.bytes = UnsafeRawBufferPointer(rebasing: sample.stack.0.bytes.prefix(600))
        sample.isCapped = true
        unwinder.unwind(sample, in: space, owner: 0, into: &result)
      }
      #expect(result.truncation == .stackCapped)
      #expect(!result.addresses.isEmpty)
    }

    private func ownAddressSpace() throws -> AddressSpace {
      var space = AddressSpace()
      let maps = try #require(Syscalls.contents("/proc/self/maps"))
      let isNew = space.update(parseMaps(maps), pid: getpid(), images: ImageCache())
      #expect(isNew)
      return space
    }
  }
}

@inline(never) private func nest(_ depth: Int, _ body: () -> [UInt64]) -> [UInt64] {
  let result = depth == 0 ? body() : nest(depth - 1, body)
  return result.isEmpty ? [0] : result  // keeps this from being a tail call
}

/// Captures this thread as the signal handler would, and returns what `backtrace` sees.
@inline(never) private func captureHere(_ session: AttachedSession) -> [UInt64] {
  var frames = [UnsafeMutableRawPointer?](repeating: nil, count: 256)
  let count = probe_capture(session.slot, &frames, 256)
  return frames[..<Int(count)].map { UInt64(UInt(bitPattern: $0)) }
}
