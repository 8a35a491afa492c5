import CUnwind
import Testing

/// Hand-made tables: one function at 0x1000..<0x1100, whose rows are worked out by hand.
@Suite struct InstructionTests {
  /// A section, common entry first.
  struct Tables {
    var format = UNWIND_EH_FRAME
    var isWide = false
    var augmentation = "zR"
    var data: [UInt8] = [0x1b]
    var version: UInt8 = 1
    var column: UInt8 = 16
    var codeAlignment: UInt8 = 1
    /// DW_CFA_def_cfa rsp+8, DW_CFA_offset rip at cfa-8
    var common: [UInt8] = [0x0c, 7, 8, 0x90, 1]
    var instructions: [UInt8] = []

    static let start: UInt64 = 0x1000
    private var address: UInt64 { format == UNWIND_EH_FRAME ? 0x400 : 0 }

    private func entry(_ identifier: [UInt8], _ content: [UInt8]) -> [UInt8] {
      let body = identifier + content
      let length =
        isWide
        ? little(0xffff_ffff, 4) + little(UInt64(body.count), 8) : little(UInt64(body.count), 4)
      return length + body
    }

    /// The bytes, and where the frame description entry begins in them.
    var bytes: (all: [UInt8], entry: Int) {
      let isDebug = format == UNWIND_DEBUG_FRAME
      let size = isDebug && isWide ? 8 : 4
      var head: [UInt8] = [version] + Array(augmentation.utf8) + [0]
      if version == 4 { head += [8, 0] }
      head += [codeAlignment, 0x78, column]
      if augmentation.hasPrefix("z") { head += [UInt8(data.count)] + data }
      let first = entry(
        isDebug ? Array(repeating: 0xff, count: size) : little(0, 4), head + common)
      let identifier = first.count + (isWide ? 12 : 4)
      let field = address + UInt64(identifier + size)
      var body =
        isDebug
        ? little(Self.start, 8) + little(0x100, 8)
        : little(Self.start &- field, 4) + little(0x100, 4)
      if augmentation.hasPrefix("z") { body.append(0) }
      let second = entry(
        isDebug ? little(0, size) : little(UInt64(identifier), 4), body + instructions)
      return (first + second, first.count)
    }

    /// Rows at these distances from the function's start, as text.
    func rows(_ offsets: UInt64...) -> [String] {
      let (bytes, place) = bytes
      return bytes.withUnsafeBufferPointer { buffer in
        var section = unwind_section(
          view: unwind_view(
            bytes: buffer.baseAddress, address: address, size: UInt64(buffer.count)),
          format: format)
        var found = unwind_entry()
        var position = address
        guard unwind_next_entry(&section, &position, &found) else { return ["no such entry"] }
        #expect(found.start == Self.start)
        #expect(found.end == Self.start + 0x100)
        #expect(found.address == address + UInt64(place))
        return offsets.map { unwind_row_of_entry(&section, &found, Self.start + $0).text }
      }
    }
  }

  private static let plain = "rsp+8 rbp same ra c-8"

  private func row(_ instructions: [UInt8]) -> String {
    Tables(instructions: instructions).rows(0)[0]
  }

  @Test func readsEveryFormOfEntry() {
    let rbp = "rsp+8 rbp c-16 ra c-8"
    for isWide in [false, true] {
      var tables = Tables(isWide: isWide, instructions: [0x86, 2])
      #expect(tables.rows(0, 0xff, 0x100) == [rbp, rbp, "no entry"])
      tables.format = UNWIND_DEBUG_FRAME
      tables.augmentation = ""
      #expect(tables.rows(0, 0xff, 0x100) == [rbp, rbp, "no entry"])
      tables.version = 4
      #expect(tables.rows(0) == [rbp])
    }
    var tables = Tables(augmentation: "zPLRS", instructions: [0x86, 2])
    tables.data = [0x9b, 1, 2, 3, 4, 0x1b, 0x1b]  // an indirect personality is not followed
    #expect(tables.rows(0) == [rbp])
    tables.column = 15
    #expect(tables.rows(0) == ["inexpressible"])
    #expect(Tables(augmentation: "eh").rows(0) == ["no such entry"])
    #expect(Tables(version: 2).rows(0) == ["no such entry"])
  }

  @Test func advances() {
    let steps: [[UInt8]] = [
      [0x44], [0x02, 4], [0x03, 4, 0], [0x04, 4, 0, 0, 0], [0x1d, 4, 0, 0, 0, 0, 0, 0, 0],
    ]
    for step in steps {
      let tables = Tables(codeAlignment: 2, instructions: step + [0x0e, 32])
      #expect(tables.rows(7, 8) == [Self.plain, "rsp+32 rbp same ra c-8"])
    }
    // DW_CFA_set_loc: 0x1008 as seen from the operand.
    let head = Tables(instructions: [0x01]).bytes.all.count
    let distance = 0x1008 - (0x400 + head)
    let tables = Tables(instructions: [0x01] + little(UInt64(distance), 4) + [0x0e, 32])
    #expect(tables.rows(7, 8) == [Self.plain, "rsp+32 rbp same ra c-8"])
    // Past the end of the address space.
    let far: [UInt8] = [0x1d] + Array(repeating: 0xff, count: 8) + [0x0e, 32]
    #expect(Tables(codeAlignment: 2, instructions: far).rows(0xff) == ["inexpressible"])
  }

  @Test func definesTheFrameAddress() {
    #expect(row([0x0c, 6, 16]) == "rbp+16 rbp same ra c-8")
    #expect(row([0x0d, 6]) == "rbp+8 rbp same ra c-8")
    #expect(row([0x0e, 0x80, 0x01]) == "rsp+128 rbp same ra c-8")
    #expect(row([0x12, 6, 0x7e]) == "rbp+16 rbp same ra c-8")  // -2 * -8
    #expect(row([0x13, 0x7d]) == "rsp+24 rbp same ra c-8")
    #expect(row([0x0c, 10, 0]) == "inexpressible")
    #expect(row([0x0e, 0xff, 0xff, 0xff, 0xff, 0x7f]) == "inexpressible")  // beyond 32 bits
    #expect(row([0x0f, 2, 0x76, 16, 0x0e, 8]) == "rbp+8 rbp same ra c-8")
    #expect(row([0x0f, 3, 0x76, 0x78, 0x06, 0x0e, 8]) == "inexpressible")  // after an expression
    #expect(row([0x0f, 3, 0x76, 0x78, 0x06, 0x0d, 7]) == "inexpressible")
  }

  @Test func findsTheFramePointer() {
    #expect(row([0x86, 2]) == "rsp+8 rbp c-16 ra c-8")
    #expect(row([0x05, 6, 3]) == "rsp+8 rbp c-24 ra c-8")
    #expect(row([0x11, 6, 4]) == "rsp+8 rbp c-32 ra c-8")
    #expect(row([0x2f, 6, 2]) == "rsp+8 rbp c+16 ra c-8")
    #expect(row([0x86, 2, 0x08, 6]) == Self.plain)
    #expect(row([0x07, 6]) == "rsp+8 rbp unknown ra c-8")
    #expect(row([0x09, 6, 3]) == "rsp+8 rbp unknown ra c-8")
    #expect(row([0x14, 6, 1]) == "rsp+8 rbp unknown ra c-8")
    #expect(row([0x16, 6, 2, 0x76, 0]) == "rsp+8 rbp unknown ra c-8")
    #expect(row([0x10, 6, 2, 0x76, 0x70]) == "rsp+8 rbp [rbp-16] ra c-8")
    #expect(row([0x10, 6, 2, 0x77, 0]) == "rsp+8 rbp unknown ra c-8")
    #expect(row([0x05, 6, 0x80, 0x80, 0x01]) == "rsp+8 rbp unknown ra c-8")  // beyond 16 bits
  }

  @Test func findsTheReturnAddress() {
    #expect(row([0x90, 3]) == "rsp+8 rbp same ra c-24")
    #expect(row([0x05, 16, 0x80, 0x01]) == "rsp+8 rbp same ra c-1024")
    #expect(row([0x05, 16, 0x81, 0x01]) == "inexpressible")
    #expect(row([0x07, 16]) == "outermost")
    #expect(row([0x09, 16, 5]) == "inexpressible")
    #expect(row([0x08, 16]) == "inexpressible")
    #expect(row([0x10, 16, 2, 0x77, 0]) == "inexpressible")
  }

  @Test func followsTheStackPointerOnlyAsTheFrameAddress() {
    #expect(row([0x14, 7, 0]) == Self.plain)
    #expect(row([0x15, 7, 0]) == Self.plain)
    #expect(row([0x14, 7, 1]) == "inexpressible")
    #expect(row([0x87, 2]) == "inexpressible")
  }

  @Test func restores() {
    let saved: [UInt8] = [0x86, 2]
    #expect(row(saved + [0xc6]) == Self.plain)
    #expect(row([0x07, 16, 0xd0]) == Self.plain)
    #expect(row([0x07, 16, 0x06, 16]) == Self.plain)
    // remember, change all, restore all: also the frame address
    let tables = Tables(
      instructions: [
        0x0a, 0x41, 0x86, 2, 0x0c, 6, 16, 0x41, 0x0a, 0x07, 16, 0x41, 0x0b, 0x41, 0x0b,
      ]
    )
    #expect(
      tables.rows(0, 1, 2, 3, 4) == [
        Self.plain, "rbp+16 rbp c-16 ra c-8", "outermost", "rbp+16 rbp c-16 ra c-8", Self.plain,
      ])
    #expect(row([0x0b]) == "inexpressible")
    #expect(row(Array(repeating: 0x0a, count: 8)) == Self.plain)
    #expect(row(Array(repeating: 0x0a, count: 9)) == "inexpressible")
  }

  @Test func rulesOfOtherRegistersDoNotMatter() {
    let others: [UInt8] = [
      0x83, 1, 0xc3, 0x05, 3, 1, 0x06, 3, 0x07, 3, 0x08, 3, 0x09, 3, 4, 0x10, 3, 1, 0x50, 0x11, 3,
      0x7e, 0x14, 3, 1, 0x15, 3, 1, 0x16, 3, 1, 0x50, 0x2d, 0x2e, 8, 0x2f, 3, 1, 0x00,
    ]
    #expect(row(others) == Self.plain)
  }

  @Test func unknownOrCutInstructionsProveNothing() {
    let broken: [[UInt8]] = [
      [0x3f], [0x17], [0x0f, 0x7f], [0x86], [0x04, 1], [0x07, 0x80], [0x0e, 0x80],
      [0x0e] + Array(repeating: 0x80, count: 16) + [0],
    ]
    for instructions in broken { #expect(row(instructions) == "inexpressible") }
  }

  @Test func understandsExpressionsThatCompilersWrite() {
    func expression(_ operations: [UInt8]) -> String {
      row([0x0f, UInt8(operations.count)] + operations)
    }
    // gcc for realigned stacks; openssl's assembly with 16 and 32-bit numbers
    #expect(expression([0x76, 0x78, 0x06]) == "[rbp-8]+0 rbp same")
    #expect(expression([0x77, 0xd8, 0x00, 0x06, 0x23, 8]) == "[rsp+88]+8 rbp same")
    #expect(expression([0x77, 16, 0x06, 0x08, 64, 0x22]) == "[rsp+16]+64 rbp same")
    #expect(expression([0x77, 16, 0x06, 0x38, 0x1c]) == "[rsp+16]-8 rbp same")
    #expect(expression([0x92, 7, 16]) == "rsp+16 rbp same ra c-8")
    #expect(expression([0x77, 0, 0x0a, 0, 1, 0x22]) == "rsp+256 rbp same ra c-8")
    #expect(expression([0x0d, 0xf8, 0xff, 0xff, 0xff, 0x76, 24, 0x22]) == "rbp+16 rbp same ra c-8")
    for unknown: [UInt8] in [
      [0x77, 16, 0x06, 0x31, 0x22],  // [rsp+16]+1
      [0x77, 0, 0x76, 0, 0x22], [0x77, 0, 0x06, 0x06], [0x73, 0], [0x38], [], [0x06],
      [0x77, 8, 0x79, 0, 0x38, 0x1e, 0x22, 0x06], [0x77, 0, 0x38, 0x1a], [0x77, 0, 0x12],
      [0x03, 0, 0, 0, 0, 0, 0, 0, 0, 0x77, 0], Array(repeating: 0x30, count: 9) + [0x77, 0],
    ] {
      #expect(expression(unknown) == "inexpressible", "\(unknown)")
    }
  }

  /// A stub jumps after 11 of its 16 bytes, having pushed a word by then.
  @Test func evaluatesTheRuleOfLinkageStubs() {
    let rule: [UInt8] = [
      0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22,
    ]
    let rows = Tables(instructions: rule).rows(0, 10, 11, 15, 16, 0x2b)
    let before = "rsp+8 rbp same ra c-8"
    let after = "rsp+16 rbp same ra c-8"
    #expect(rows == [before, before, after, after, before, after])
  }

  @Test func recognisesTheSignalTrampoline() {
    let saved: [UInt8] = [0x10, 16, 3, 0x77, 0xa8, 1, 0x10, 6, 3, 0x77, 0xf8, 0]
    let frame: [UInt8] = [0x0f, 4, 0x77, 0xa0, 1, 0x06]
    #expect(row(frame + saved) == "signal return")
    #expect(row([0x0f, 4, 0x77, 0xa8, 1, 0x06] + saved) == "inexpressible")
    #expect(row(frame) == "[rsp+160]+0 rbp same")
  }
}

func little(_ value: UInt64, _ count: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
}
