import CUnwind

/// Steps over a copied stack by rows of CUnwind: where libunwind, which needs a search table, has
/// no answer, and where no unwind entry covers the code at all.
struct RowUnwinder {
  /// Set in the pc of an interrupted frame (`UNWIND_EXACT`).
  static let exact: UInt64 = 1 << 63

  let access: UnsafeMutablePointer<UnwindAccess>
  let addresses: AddressSpace

  /// Replaces `frame` by its caller.
  func step(_ frame: inout unwind_frame) -> unwind_ending {
    let pc = unwind_lookup_address(frame.pc)
    let region = addresses.region(containing: pc)
    let image = region?.image
    let address = pc &- (region?.bias ?? 0)
    let row = image?.row(at: address) ?? Self.noEntry
    if row.cfa == UNWIND_NO_ENTRY.rawValue, let image,
      let next = callerOfStartupCode(frame, at: address, in: image)
    {
      frame = next
      return UNWIND_CONTINUES
    }
    var memory = unwind_memory(
      load: { context, address, value in
        guard let value = value, let found = unwindAccess(context)?.pointee.loadStack(address)
        else { return false }
        value.pointee = found
        return true
      },
      can_return_to: { context, address in
        unwindAccess(context)?.pointee.region(containing: address &- 1) != nil
      },
      context: access)
    return unwind_step(row, &frame, &memory)
  }

  private static let noEntry = unwind_row(
    cfa_offset: 0, rbp_offset: 0, words: -1, cfa: UInt8(UNWIND_NO_ENTRY.rawValue), rbp: 0)

  /// `_init` and `_fini` of any object have no unwind entry: crti.o begins them with
  /// `sub $8,%rsp`, perhaps after `endbr64`, and crtn.o ends them.
  private func callerOfStartupCode(
    _ frame: unwind_frame, at address: UInt64, in image: LoadedImage
  ) -> unwind_frame? {
    let code = image.view.pointee.startupCode
    guard code.0.contains(address) || code.1.contains(address),
      let next = image.view.pointee.load(address)
    else { return nil }
    let (endbr64, subtract, ret): (UInt64, UInt64, UInt64) = (0xfa1e_0ff3, 0x08ec_8348, 0xc3)
    let isOutside = [endbr64, subtract].contains(next & 0xffff_ffff) || next & 0xff == ret
    let slot = isOutside ? frame.rsp : frame.rsp &+ 8
    guard let returnAddress = access.pointee.loadStack(slot),
      access.pointee.region(containing: returnAddress) != nil
    else { return nil }
    return unwind_frame(pc: returnAddress, rsp: slot &+ 8, rbp: frame.rbp)
  }
}
