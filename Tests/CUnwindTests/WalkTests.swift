import CUnwind
import Foundation
import TestSupport
import Testing
import UnwindProbe

/// Stacks of every kind, each against the C library's own unwinder in the same function.
@Suite(.serialized) struct WalkTests {
  private let cache = Cache(entries: 16384)

  @Test(arguments: [0, 1, 100, 400]) func findsWhatTheLibraryFinds(depth: UInt32) throws {
    let walk = Walk(cache)
    for _ in 1...2 {  // from the tables, then from the cache
      probe_below(depth, walk.pointer)
      walk.expectTheSame()
      #expect(walk.frames.count > depth + 3)
    }
  }

  @Test func walksThroughALibraryFunction() {
    let walk = Walk(cache)
    probe_in_callback(walk.pointer)
    walk.expectTheSame()
    #expect(walk.exactFrames == [])
  }

  @Test(arguments: [false, true]) func walksThroughASignalHandler(onAlternateStack: Bool) {
    let walk = Walk(cache)
    for _ in 1...2 {
      probe_in_handler(onAlternateStack, walk.pointer)
      walk.expectTheSame()
      #expect(walk.exactFrames.count == 1)
    }
  }

  /// glibc has no entry for the code below a coroutine, and its own walk goes astray there.
  @Test func aCoroutineEndsWhereItBegan() {
    let walk = Walk(cache)
    for _ in 1...2 {
      walk.pointer.pointee.expected_limit = 6  // 4 frames of a recursion, its caller, what is below
      probe_in_coroutine(walk.pointer)
      walk.expectTheSame()
      // And back on the thread's own stack.
      walk.pointer.pointee.expected_limit = UInt32(probe_capacity)
      probe_below(2, walk.pointer)
      walk.expectTheSame()
    }
  }

  @Test func keepsTheInnermostFramesOfADeepStack() {
    let walk = Walk(cache)
    for depth: UInt32 in [600, 700] {
      probe_below(depth, walk.pointer)
      #expect(walk.ending == UNWIND_TOO_DEEP)
      #expect(walk.frames.count == Int(UNWIND_TRAIL))
      #expect(walk.frames == walk.expected)
    }
  }

  /// What is left of the last walk is used, and nothing else of it: calls that come and go at
  /// random, from two places in each of two functions whose frames have many sizes.
  @Test(arguments: [1, 2, 3] as [UInt64]) func findsItsWayAfterEveryCall(seed: UInt64) {
    let walk = Walk(cache)
    var wander = probe_wander(
      walk: walk.pointer, state: seed, calls: 0, different: 0, kept: 0)
    probe_wander_about(&wander)
    print("seed \(seed): \(wander.calls) walks, \(wander.kept) frames kept")
    #expect(wander.different == 0, "\(walk.pointer.pointee.comparison)")
    #expect(wander.calls > 2000)
    #expect(wander.kept > wander.calls, "the trail was of no use")
  }

  @Test func sameStacksHaveTheSameHashAndOthersOthers() {
    let walk = Walk(cache)
    var hashes: [UInt64] = []
    for depth in [3, 4, 3, 4] as [UInt32] {
      probe_below(depth, walk.pointer)
      hashes.append(walk.pointer.pointee.result.hash)
    }
    #expect(hashes[0] != hashes[1])
  }

  /// gcc reaches the caller of a realigned stack through a word that it saved in the frame.
  @Test func walksThroughARealignedStack() throws {
    let object = try Plugin(
      """
      #include <alloca.h>
      void through(void (*call)(void *), void *argument, int c, int d, int e, int f,
                   volatile int g) {
        volatile _Alignas(32) double array[16];
        char *more = alloca(array[3] == 0 ? 100 : 200);
        more[0] = array[1] = g;
        call(argument);
        array[2] = more[0];
      }
      """, ["-O2", "-mavx"])
    let frames = try run(["readelf", "--debug-dump=frames", object.path])
    #expect(frames.contains("DW_CFA_def_cfa_expression (DW_OP_breg6 (rbp): -8; DW_OP_deref)"))
    let walk = Walk(cache)
    probe_through(object.handle, "through", walk.pointer)
    walk.expectTheSame()
  }

  @Test func followsFramePointersWhereThereIsNoEntry() throws {
    let text = """
      void inner(void (*call)(void *), void *argument) { call(argument); __asm__(""); }
      void through(void (*call)(void *), void *argument) { inner(call, argument); __asm__(""); }
      """
    let options = ["-O1", "-fno-asynchronous-unwind-tables", "-fno-exceptions"]
    let framed = try Plugin(text, options + ["-fno-omit-frame-pointer"])
    let walk = Walk(cache)
    probe_through(framed.handle, "through", walk.pointer)
    #expect(walk.ending == UNWIND_COMPLETE)
    // Called as another function is, from the same place.
    let described = try Plugin(text, ["-O1"])
    let other = Walk(cache)
    probe_through(described.handle, "through", other.pointer)
    other.expectTheSame()
    #expect(walk.frames.count == other.frames.count)
    #expect(walk.frames.suffix(5) == other.frames.suffix(5))
  }

  /// Code that no object holds, as a compiler at run time writes it:
  /// push %rbp; mov %rsp,%rbp; mov %rdi,%rax; mov %rsi,%rdi; call *%rax; pop %rbp; ret
  @Test func walksThroughCodeThatWasWrittenAtRunTime() throws {
    let code: [UInt8] = [
      0x55, 0x48, 0x89, 0xe5, 0x48, 0x89, 0xf8, 0x48, 0x89, 0xf7, 0xff, 0xd0, 0x5d, 0xc3,
    ]
    let size = 4096
    let map = try #require(
      mmap(
        nil, size, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
    defer { munmap(map, size) }
    map.copyMemory(from: code, byteCount: code.count)
    typealias Callback = @convention(c) (UnsafeMutableRawPointer?) -> Void
    typealias Function = @convention(c) (Callback, UnsafeMutableRawPointer) -> Void
    let function = unsafeBitCast(map, to: Function.self)
    let walk = Walk(cache)
    function(probe_here, walk.pointer)
    let direct = Walk(cache)
    probe_here(direct.pointer)
    #expect(walk.ending == UNWIND_COMPLETE)
    #expect(walk.frames.first == UInt64(UInt(bitPattern: map)) + 12)
    #expect(walk.frames.count == direct.frames.count + 1)
    #expect(walk.frames.dropFirst(2) == direct.frames.dropFirst(1))
  }

  @Test func dataIsNoCallerToFollowAFramePointerTo() throws {
    let bare = try Plugin("void through(void) {}", ["-O1", "-fno-asynchronous-unwind-tables"])
    let start = try Plugin.symbol("through", in: bare.handle)
    let walk = Walk(cache)
    var data = [UInt8](repeating: 0x90, count: 64)
    data.withUnsafeMutableBytes { data in
      var stack = [UInt64](repeating: 0, count: 8)
      stack.withUnsafeMutableBytes { bytes in
        let rsp = UInt64(UInt(bitPattern: bytes.baseAddress))
        let caller = UInt64(UInt(bitPattern: data.baseAddress)) + 32
        bytes.storeBytes(of: caller, toByteOffset: 24, as: UInt64.self)
        probe_from(start | UNWIND_EXACT_BIT, rsp, rsp + 16, walk.pointer)
        #expect(walk.ending == UNWIND_NO_INFO)
        #expect(walk.frames.count == 1)
        // Behind what may be a call it would be one.
        data[27] = 0xe8
        cache.forget()
        probe_from(start | UNWIND_EXACT_BIT, rsp, rsp + 16, walk.pointer)
        #expect(walk.frames.dropFirst().first == caller)
      }
    }
  }

  @Test func withoutEntryOrFramePointerItSaysSo() throws {
    let bare = try Plugin(
      "void through(void (*call)(void *), void *argument) { call(argument); __asm__(\"\"); }",
      ["-O1", "-fno-asynchronous-unwind-tables", "-fno-exceptions", "-fomit-frame-pointer"])
    let start = try Plugin.symbol("through", in: bare.handle)
    let walk = Walk(cache)
    var stack: [UInt64] = [1, 2, 3, 4]
    stack.withUnsafeMutableBytes { bytes in
      let rsp = UInt64(UInt(bitPattern: bytes.baseAddress))
      probe_from(start | UNWIND_EXACT_BIT, rsp, 0, walk.pointer)
    }
    #expect(walk.ending == UNWIND_NO_INFO)
    #expect(walk.frames == [start | UNWIND_EXACT_BIT])
  }

  @Test func stopsAtMemoryThatCannotBeRead() throws {
    let page = 4096
    let map = try #require(
      mmap(nil, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
    defer { munmap(map, 3 * page) }
    mprotect(map + 2 * page, page, PROT_NONE)
    let end = UInt64(UInt(bitPattern: map)) + UInt64(2 * page)
    // An address in a function that is entered as this one is: rsp + something leads to its caller.
    let pc = try Plugin.symbol("qsort", in: nil) | UNWIND_EXACT_BIT
    let walk = Walk(cache)
    for rsp in [end, end + 8, end - 4, 0, 8, UInt64.max - 15, UInt64(1) << 63] {
      walk.pointer.pointee.trail.readable = unwind_window(low: 0, high: 0)
      probe_from(pc, rsp, rsp, walk.pointer)
      #expect(walk.ending == UNWIND_UNREADABLE, "rsp \(String(rsp, radix: 16))")
      #expect(walk.frames == [pc])
    }
    // Readable up to the end, where zeros are no return address.
    probe_from(pc, end - 8, 0, walk.pointer)
    #expect(walk.ending == UNWIND_BROKEN_CHAIN)
  }

  @Test func aReloadedObjectIsReadAgain() throws {
    func text(_ size: Int) -> String {
      """
      void through(void (*call)(void *), void *argument) {
        volatile char array[\(size)];
        array[0] = 1;
        call(argument);
        array[1] = 2;
      }
      """
    }
    // Two objects of one layout whose frames have different sizes, loaded at one address.
    let paths = try [128, 1024].map { try Plugin.build(text($0), ["-O2"]) }
    let walk = Walk(cache)
    var addresses: [UInt64] = []
    for path in paths + paths {
      let object = try Plugin.open(path.path)
      probe_through(object, "through", walk.pointer)
      walk.expectTheSame()
      addresses.append(walk.frames[0])
      probe_close(object)
      cache.forget()
    }
    #expect(Set(addresses).count < addresses.count, "never at one address: nothing was shown")
  }
}
