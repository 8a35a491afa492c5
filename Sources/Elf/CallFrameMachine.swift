/// Runs call frame instructions (DWARF 5, 6.4.2) as far as one question needs: is the return
/// address undefined at a pc?
struct CallFrameMachine {
  private let entry: FrameDescription
  private var location: UInt64
  private var isUndefined = false
  /// Rule of the return address after the common entry, for `DW_CFA_restore`.
  private var initiallyUndefined = false
  private var remembered: [Bool] = []

  init(_ entry: FrameDescription) {
    self.entry = entry
    location = entry.range.lowerBound
  }

  mutating func returnAddressIsUndefined(at pc: UInt64) -> Bool {
    guard run(entry.common.instructions, until: pc) else { return false }
    initiallyUndefined = isUndefined
    location = entry.range.lowerBound
    return run(entry.instructions, until: pc) && isUndefined
  }

  /// Runs until the row of `pc` is complete. False when an instruction is unknown or cut off:
  /// then nothing is known. Each instruction consumes a byte at least, so this ends.
  private mutating func run(_ instructions: ByteReader, until pc: UInt64) -> Bool {
    var reader = instructions
    while location <= pc, !reader.isAtEnd {
      guard let opcode = reader.read(UInt8.self), step(opcode, &reader) else { return false }
    }
    return true
  }

  private mutating func step(_ opcode: UInt8, _ reader: inout ByteReader) -> Bool {
    let operand = UInt64(opcode & 0x3f)
    switch opcode & 0xc0 {
    case 0x40:  // DW_CFA_advance_loc
      return advance(operand)
    case 0x80:  // DW_CFA_offset
      return reader.uleb() != nil && set(operand, undefined: false)
    case 0xc0:  // DW_CFA_restore
      return set(operand, undefined: initiallyUndefined)
    default:
      return stepExtended(opcode, &reader)
    }
  }

  private mutating func stepExtended(_ opcode: UInt8, _ reader: inout ByteReader) -> Bool {
    switch opcode {
    case 0x00: return true  // DW_CFA_nop
    case 0x01:  // DW_CFA_set_loc
      guard let address = reader.pointer(entry.common.pointerEncoding) else { return false }
      location = address
      return true
    case 0x02: return reader.read(UInt8.self).map { advance(UInt64($0)) } ?? false
    case 0x03: return reader.read(UInt16.self).map { advance(UInt64($0)) } ?? false
    case 0x04: return reader.read(UInt32.self).map { advance(UInt64($0)) } ?? false
    case 0x1d: return reader.read(UInt64.self).map { advance($0) } ?? false
    // offset_extended, register, offset_extended_sf, val_offset, val_offset_sf,
    // GNU_negative_offset_extended: a register and a number. (The bytes of signed and unsigned
    // LEB128 end alike.)
    case 0x05, 0x09, 0x11, 0x14, 0x15, 0x2f:
      guard let register = reader.uleb(), reader.uleb() != nil else { return false }
      return set(register, undefined: false)
    case 0x06: return reader.uleb().map { set($0, undefined: initiallyUndefined) } ?? false
    case 0x07: return reader.uleb().map { set($0, undefined: true) } ?? false
    case 0x08: return reader.uleb().map { set($0, undefined: false) } ?? false
    case 0x0a:  // DW_CFA_remember_state
      remembered.append(isUndefined)
      return true
    case 0x0b:  // DW_CFA_restore_state
      guard let state = remembered.popLast() else { return false }
      isUndefined = state
      return true
    // def_cfa, def_cfa_sf
    case 0x0c, 0x12: return reader.uleb() != nil && reader.uleb() != nil
    // def_cfa_register, def_cfa_offset, def_cfa_offset_sf, GNU_args_size
    case 0x0d, 0x0e, 0x13, 0x2e: return reader.uleb() != nil
    case 0x0f: return reader.uleb().map { reader.skip($0) } ?? false  // DW_CFA_def_cfa_expression
    case 0x10, 0x16:  // DW_CFA_expression, DW_CFA_val_expression
      guard let register = reader.uleb(), let length = reader.uleb(), reader.skip(length)
      else { return false }
      return set(register, undefined: false)
    case 0x2d: return true  // DW_CFA_GNU_window_save, DW_CFA_AARCH64_negate_ra_state
    default: return false
    }
  }

  private mutating func advance(_ steps: UInt64) -> Bool {
    let distance = steps.multipliedReportingOverflow(by: entry.common.codeAlignment)
    let next = location.addingReportingOverflow(distance.partialValue)
    guard !distance.overflow, !next.overflow else { return false }
    location = next.partialValue
    return true
  }

  private mutating func set(_ register: UInt64, undefined: Bool) -> Bool {
    if register == entry.common.returnAddressColumn { isUndefined = undefined }
    return true
  }
}
