import CLibunwind

/// What libunwind sees of the sampled process while one stack is unwound: the copied registers and
/// stack, and the files behind its code. Nothing is read from the process itself.
struct UnwindAccess {
  var registers: UnsafeMutablePointer<UInt64>
  var stack: (RawSample.Segment, RawSample.Segment)
  var regions: UnsafeBufferPointer<RegionView>
  /// The region whose unwind information is in use. A program can map its code a second time
  /// elsewhere; its tables are then found relative to the address that asked.
  var asking: RegionView?
  /// Set when a pc had no unwind entry since the flag was last cleared.
  var lacksEntry = false
  /// Set when a frame lay above the copied part of the stack.
  var wantedMore = false

  func region(containing address: UInt64) -> RegionView? {
    var low = 0
    var high = regions.count
    while low < high {
      let middle = (low &+ high) / 2
      if regions[middle].end <= address { low = middle &+ 1 } else { high = middle }
    }
    guard low < regions.count, regions[low].start <= address else { return nil }
    return regions[low]
  }

  mutating func loadStack(_ address: UInt64) -> UInt64? {
    if let value = Self.load(stack.0, address) ?? Self.load(stack.1, address) { return value }
    if Self.isAbove(stack.0, address) || Self.isAbove(stack.1, address) { wantedMore = true }
    return nil
  }

  /// The address may be the stack's, but above what was copied of it.
  private static func isAbove(_ segment: RawSample.Segment, _ address: UInt64) -> Bool {
    let largestStep: UInt64 = 1 << 20
    let end = segment.address &+ UInt64(segment.bytes.count)
    return !segment.bytes.isEmpty && address &+ 8 > end && address &- end < largestStep
  }

  private static func load(_ segment: RawSample.Segment, _ address: UInt64) -> UInt64? {
    let offset = address &- segment.address
    guard offset < UInt64(segment.bytes.count), UInt64(segment.bytes.count) &- offset >= 8
    else { return nil }
    return segment.bytes.loadUnaligned(fromByteOffset: Int(offset), as: UInt64.self)
  }

  mutating func load(_ address: UInt64) -> UInt64? {
    if let value = loadStack(address) { return value }
    if let asking, let image = asking.image,
      let value = image.pointee.load(address &- asking.bias)
    {
      return value
    }
    if let region = region(containing: address) {
      // Code written by a JIT compiler: were reading it to fail, libunwind would take the pc for
      // a mistake and go on with a stack pointer of its own making.
      guard let image = region.image else { return 0 }
      return image.pointee.load(address &- region.bias)
    }
    return loadData(address)
  }

  /// Writable data of a mapped file, such as the personality routine's slot that reading a CIE
  /// dereferences. The file's own bytes do: their value is not used for unwinding.
  private func loadData(_ address: UInt64) -> UInt64? {
    for region in regions {
      if let image = region.image, let value = image.pointee.load(address &- region.bias) {
        return value
      }
    }
    return nil
  }
}

// MARK: - Callbacks of libunwind

/// What is passed through libunwind, and through CUnwind, to the functions that read for them.
func unwindAccess(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<UnwindAccess>? {
  argument?.assumingMemoryBound(to: UnwindAccess.self)
}

/// The functions through which libunwind reads the target. They return zero or minus an error.
func makeAccessors() -> unw_accessors_t {
  var accessors = unw_accessors_t()
  accessors.find_proc_info = { space, ip, info, needsUnwindInfo, argument in
    guard let access = unwindAccess(argument), let space, let info, let argument else {
      return -UNW_EINVAL_
    }
    guard let region = access.pointee.region(containing: ip), let image = region.image,
      image.pointee.entryCount > 0
    else {
      access.pointee.lacksEntry = true
      return -UNW_ENOINFO_
    }
    access.pointee.asking = region
    var table = qprof_unwind_table(
      start: image.pointee.start &+ region.bias, end: image.pointee.end &+ region.bias,
      header: image.pointee.header &+ region.bias, entry_count: image.pointee.entryCount)
    guard table.start <= ip, ip < table.end else { return -UNW_ENOINFO_ }
    let result = qprof_unw_search_table(space, ip, &table, info, needsUnwindInfo, argument)
    if result < 0 { access.pointee.lacksEntry = true }
    return result
  }
  // libunwind 1.6.2 frees what it allocated by itself.
  accessors.put_unwind_info = { _, _, _ in }
  accessors.get_dyn_info_list_addr = { _, _, _ in -UNW_ENOINFO_ }
  accessors.access_mem = { _, address, value, isWrite, argument in
    guard isWrite == 0, let access = unwindAccess(argument),
      let found = access.pointee.load(address)
    else { return -UNW_EINVAL_ }
    value?.pointee = found
    return 0
  }
  accessors.access_reg = { _, number, value, isWrite, argument in
    guard isWrite == 0, let access = unwindAccess(argument), number >= 0, number <= Register.rip
    else { return -UNW_EBADREG_ }
    value?.pointee = access.pointee.registers[Int(number)]
    return 0
  }
  accessors.access_fpreg = { _, _, _, _, _ in -UNW_EBADREG_ }
  accessors.resume = { _, _, _ in -UNW_EINVAL_ }
  accessors.get_proc_name = { _, _, _, _, _, _ in -UNW_ENOINFO_ }
  return accessors
}

private let UNW_EINVAL_ = Int32(UNW_EINVAL.rawValue)
private let UNW_ENOINFO_ = Int32(UNW_ENOINFO.rawValue)
private let UNW_EBADREG_ = Int32(UNW_EBADREG.rawValue)
