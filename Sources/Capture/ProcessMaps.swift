import ProfileModel

/// One line of `/proc/PID/maps` (man 5 proc).
struct MapsEntry: Hashable {
  var start: UInt64
  var end: UInt64
  var isExecutable: Bool
  var isReadable: Bool
  var offset: UInt64
  var device: UInt64
  var inode: UInt64
  /// Without the mark ` (deleted)`.
  var path: String
  var isDeleted: Bool

  var isFile: Bool { path.hasPrefix("/") && inode != 0 }
}

/// Reads the text of `/proc/PID/maps`. Lines that are not of its form are passed over: the text
/// may come from the sampled process, and ends in the middle of a line when a ring was full.
func parseMaps(_ text: some Collection<UInt8>) -> [MapsEntry] {
  text.split(separator: UInt8(ascii: "\n")).compactMap { parseMapsLine(Array($0)) }
}

private func parseMapsLine(_ line: [UInt8]) -> MapsEntry? {
  var rest = line[...]
  func field() -> ArraySlice<UInt8> {
    let space = UInt8(ascii: " ")
    rest = rest.drop { $0 == space }
    let field = rest.prefix { $0 != space }
    rest = rest.dropFirst(field.count)
    return field
  }
  let range = field().split(separator: UInt8(ascii: "-"))
  let permissions = Array(field())
  guard range.count == 2, permissions.count == 4,
    let start = hexadecimal(range[0]), let end = hexadecimal(range[1]), start < end,
    let offset = hexadecimal(field())
  else { return nil }
  let device = field().split(separator: UInt8(ascii: ":"))
  guard device.count == 2, let major = hexadecimal(device[0]), let minor = hexadecimal(device[1]),
    major < 1 << 12, minor < 1 << 20,
    let inode = UInt64(String(decoding: field(), as: UTF8.self))
  else { return nil }
  var path = String(decoding: rest.drop { $0 == UInt8(ascii: " ") }, as: UTF8.self)
  let mark = " (deleted)"
  let isDeleted = path.hasSuffix(mark)
  if isDeleted { path.removeLast(mark.count) }
  return MapsEntry(
    start: start, end: end, isExecutable: permissions[2] == UInt8(ascii: "x"),
    isReadable: permissions[0] == UInt8(ascii: "r"), offset: offset,
    device: makeDevice(major: major, minor: minor), inode: inode, path: path, isDeleted: isDeleted)
}

/// glibc's packing of device numbers, so that they compare with `st_dev`.
private func makeDevice(major: UInt64, minor: UInt64) -> UInt64 {
  (major & 0xfff) << 8 | (minor & 0xff) | (minor & 0xffff_ff00) << 12
}

private func hexadecimal(_ digits: ArraySlice<UInt8>) -> UInt64? {
  UInt64(String(decoding: digits, as: UTF8.self), radix: 16)
}
